"""The whole graph of identifiers at once, to compare the stored records with it."""

from collections.abc import Iterator, Sequence

from customers.identity import graph
from customers.identity.current_addresses import links_for_grouping, separated_link_ids
from customers.identity.families import ORDER, Family
from customers.identity.grouping import Grouping, group
from customers.identity.links import IdentifierLink, LinkKind
from customers.identity.order_ownership import (
    OrderMention,
    OrderOwner,
    order_number,
    order_owner,
    order_source,
)
from customers.models import Identifier, Link, ManualDecision, Source
from customers.types import VERIFIED, WEAK_KINDS, owns_its_space


def whole_graph() -> graph.Component:
    """Read all identifiers, links and decisions."""
    return graph.read_locked(list(Identifier.objects.values_list("id", flat=True)) or [0])


def group_everything() -> Grouping:
    """Group all stored identifiers at once."""
    component = whole_graph()
    return group(
        [row.node for row in component.rows],
        _links(component),
        component.decisions,
    )


def misplaced_identifiers() -> list[str]:
    """Return how the stored records differ from the groups of all links and decisions."""
    component = whole_graph()
    rows = {row.id: row for row in component.rows}
    grouping = group_everything()
    faults = []
    owners: dict[object, int] = {}
    for number, members in enumerate(grouping.groups):
        people = [rows[id_] for id_ in members if rows[id_].kind != ORDER]
        customers = {row.customer_id for row in people}
        # An identifier that is attached to one without a record keeps its own record until then.
        if not any(row.customer_id for row in people if _is_core(row)):
            customers -= {None}
        if len(customers) > 1:
            faults.append(f"one group on {len(customers)} records: {_describe(people)}")
        faults += [
            f"two groups on one record: {_describe(people)}"
            for customer in customers - {None}
            if owners.setdefault(customer, number) != number
        ]
    faults += [
        f"wrongly {'' if row.is_shared else 'not '}shared: {_describe([row])}"
        for row in component.rows
        if row.kind != ORDER and row.is_shared != (row.id in grouping.ambiguous)
    ]
    contested = set(grouping.contested)
    return faults + [
        f"{link.state} link: {_describe([rows[link.first], rows[link.second]])}"
        for link, read in zip(component.links, _links(component), strict=True)
        if (read in contested) != (link.state == "contested")
    ]


def _links(component: graph.Component) -> list[IdentifierLink]:
    replaced = {link.id for link in component.links if link.state == "replaced"}
    separated = separated_link_ids(component.links, component.decisions)
    return links_for_grouping(component.links, separated, replaced)


def _is_core(row: graph.GraphRow) -> bool:
    return row.node.family in (Family.ACCOUNT, Family.MAILBOX) and not row.is_noted


def _describe(rows: Sequence[graph.GraphRow]) -> str:
    return ", ".join(
        sorted(f"{row.kind} {row.value} on {str(row.customer_id)[-4:]}" for row in rows)
    )


def misplaced_orders() -> list[Sequence[int]]:
    """Return the orders that are not on the record, or not in the doubt, that their links say."""
    component = whole_graph()
    kinds = {row.id: row.kind for row in component.rows}
    owner = {row.id: row.customer_id for row in component.rows}
    record = {row.id: row.record_id for row in component.rows}
    shared = {row.id: row.is_shared for row in component.rows}
    erasures = {row.id: row.erasure_id for row in component.rows}
    links = [
        IdentifierLink(
            link.first_id,
            link.second_id,
            link.evidence,
            link.kind,
            (link.kind == "moved" and link.last_proved_at) or link.occurred_at,
            link.arrival,
        )
        for link in Link.objects.all()
    ]
    separations = ManualDecision.objects.filter(kind="separate", undone_at__isnull=True)
    links += [
        IdentifierLink(first, second, VERIFIED, "separate")
        for first, second in separations.values_list("first_id", "second_id")
    ]
    misplaced = []
    for members in group_everything().groups:
        if not all(kinds[member] == ORDER for member in members):
            continue
        mentions = list(_mentions(members, links, kinds, owner, erasures))
        others = list(_others(members, component, links, owner, shared))
        mentions += _moves_by_owners(members, component, links, kinds, owner, erasures)
        placed, is_doubtful = order_owner(mentions, others)
        own = {record[member] for member in members} - {None} or {None}
        belongs = {placed} if placed else own
        actual = {owner[member] for member in members}
        if not actual <= belongs or any(shared[member] != is_doubtful for member in members):
            misplaced.append(sorted(members))
    return misplaced


def _mentions(members, links, kinds, owner, erasures) -> Iterator[OrderMention]:
    for link in links:
        for order, other in ((link.first, link.second), (link.second, link.first)):
            if order in members and kinds[other] != ORDER:
                is_of_erasure = erasures[order] == erasures[other]
                customer = owner[other] if is_of_erasure else None
                is_weak = kinds[other] in WEAK_KINDS
                yield OrderMention(link.kind, is_weak, customer, link.occurred_at, link.arrival)


def _moves_by_owners(members, component, links, kinds, owner, erasures) -> list[OrderMention]:
    """The moves of the only order with its number in a space, by other owners of the space."""
    owners = {
        source.pk: source.space_id
        for source in Source.objects.all()
        if owns_its_space(channel=source.channel, is_shared=source.is_shared, is_trusted=True)
    }
    spaces = dict(Source.objects.values_list("id", "space_id"))
    placed = {end for link in links if link.kind == LinkKind.PLACED for end in link.pair}
    same = {
        row.id: row
        for row in component.rows
        if row.kind == ORDER and row.evidence == VERIFIED
        for member in component.rows
        if member.id in members & placed
        and order_number(row.value) == order_number(member.value)
        and spaces.get(order_source(row.value)) == spaces.get(order_source(member.value))
        and row.erasure_id == member.erasure_id
    }
    others = {id_ for id_ in same if id_ not in members}
    if others & placed:
        return []
    moving = {id_ for id_ in others if order_source(same[id_].value) in owners}
    return [
        mention
        for mention in _mentions(moving, links, kinds, owner, erasures)
        if mention.kind == LinkKind.MOVED
    ]


def _others(members, component, links, owner, shared) -> Iterator[OrderOwner]:
    """The other orders with the number that somebody placed, and where they are."""
    orders = {
        row.id: row
        for row in component.rows
        if row.node.family is Family.REFERENCE and row.evidence == VERIFIED
    }
    spaces = dict(Source.objects.values_list("id", "space_id"))
    numbers = {
        (order_number(row.value), spaces.get(order_source(row.value)))
        for member in members
        if (row := orders.get(member))
    }
    erasures = {row.erasure_id for row in component.rows if row.id in members}
    placed = {end for link in links if link.kind == LinkKind.PLACED for end in link.pair}
    for id_, row in orders.items():
        is_other = id_ in placed and id_ not in members and row.erasure_id in erasures
        if is_other and (order_number(row.value), spaces.get(order_source(row.value))) in numbers:
            yield (None, True) if shared[id_] else (owner[id_], False)


def spanning_groups() -> list[str]:
    """Return the groups and records with identifiers of two erasures, or of two periods.

    A period that did not end may be in one group with the next period of its address.
    """
    continued = set(Link.objects.filter(kind=LinkKind.PERIOD).values_list("first_id", flat=True))
    rows = list(
        Identifier.objects.values("id", "kind", "value", "evidence", "erasure_id", "customer_id")
    )
    by_id = {row["id"]: row for row in rows}
    by_record = {}
    for row in rows:
        by_record.setdefault(row["customer_id"] or row["id"], []).append(row)
    groups = [[by_id[id_] for id_ in members] for members in group_everything().groups]
    return [
        str(members) for members in [*groups, *by_record.values()] if _spans(members, continued)
    ]


def _spans(members, continued) -> bool:
    names = [
        (row["kind"], row["value"], row["evidence"])
        for row in members
        if row["id"] not in continued
    ]
    return len({row["erasure_id"] for row in members}) > 1 or len(set(names)) < len(names)
