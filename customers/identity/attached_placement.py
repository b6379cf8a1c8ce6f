"""Places cards, phones, devices and numbers of tills: chooses the record to attach each to.

`customers.identity.attachment_rules` has the rule. A value may have thousands of links, so this
module reads the strongest ones only, and locks only the records that change.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity.attached_separations import EffectiveDecisions, effective_decisions
from customers.identity.attaching_links import LINK_LIMIT, AttachingLink, read_attaching_links
from customers.identity.attachment_rules import attach_identifiers, attached_end
from customers.identity.disjoint_groups import DisjointGroups
from customers.identity.families import JOINING_FAMILIES, PHONE, Family
from customers.identity.graph import (
    NO_LIMIT,
    Component,
    GraphRow,
    StoredLink,
    Targets,
    choose_targets,
    lock_missing,
    read_locked,
)
from customers.identity.grouping import join_records
from customers.identity.link_rules import has_sufficient_evidence, is_across_erasures
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
    Pair,
    pair_of,
)
from customers.identity.periods import continued_periods
from customers.identity.placeholders import find_placeholders

# The largest number of links beyond the limit that one batch decides.
_MAX_UNDECIDED = 10_000
_FIRST_TIME = datetime.min.replace(tzinfo=UTC)
_LAST_TIME = datetime.max.replace(tzinfo=UTC)


class PlacedAttached(NamedTuple):
    """The identifiers that may be attached, and the new states of their links."""

    rows: Sequence[GraphRow]
    states: Mapping[int, str]
    # Identifiers that several records have.
    shared: frozenset[int]
    # The links that could attach them.
    links: Sequence[StoredLink]
    # The cards and numbers that turn out to be placeholders.
    new_placeholders: frozenset[int]


def place_attached(
    regrouped: Component,
    targets: Targets,
    locked: set[UUID],
    placeholders: Set[int] = frozenset(),
    named: Set[int] = frozenset(),
) -> PlacedAttached:
    """Write the record of each identifier that may be attached into `targets`.

    These are the identifiers that were read, those that are attached to identifiers whose record
    changes, to new placeholders or to accounts with a new mailbox, and those that staff separated
    from an identifier that was read.

    placeholders: the accounts that turned out to be placeholders just now
    named: the accounts whose links with mailboxes begin to act
    Raises RetryTransaction if another transaction holds a record that has to change.
    """
    rows = {row.id: row for row in regrouped.rows}
    pending = {row.id for row in regrouped.rows if _follows_others(row)}
    pending |= (
        _read_attached([*_moved(rows.values(), targets), *placeholders, *named]) - rows.keys()
    )
    pending |= {end for decision in regrouped.decisions for end in decision.pair} - rows.keys()
    states: dict[int, str] = {}
    shared: set[int] = set()
    links: set[StoredLink] = set()
    new_placeholders: set[int] = set()
    while pending:
        attachable = _read_attachable(pending, locked, placeholders | new_placeholders)
        new_placeholders |= attachable.new_placeholders
        fresh = {row.id: row for row in attachable.component.rows if _follows_others(row)}
        rows |= fresh
        # A person may have merged one of them with an identifier that no other change concerns.
        rows |= {row.id: row for row in attachable.component.rows if row.id not in rows}
        states |= _place(attachable, fresh, targets, shared)
        states |= _states_beyond_limit(attachable, targets)
        links |= {attaching.link for attaching in attachable.links} | {*attachable.component.links}
        lock_missing({record for id_ in fresh if (record := targets[id_])}, locked)
        pending = _read_attached(_moved(fresh.values(), targets)) - targets.keys()
        pending |= _read_attached(sorted(attachable.new_placeholders)) - fresh.keys()
    placed = [row for row in rows.values() if row.id in targets]
    return PlacedAttached(
        placed, states, frozenset(shared), sorted(links), frozenset(new_placeholders)
    )


def _follows_others(row: GraphRow) -> bool:
    """Tell whether the record of an identifier depends on the identifiers that it is linked with."""
    return row.is_noted or row.node.family not in JOINING_FAMILIES


def _moved(rows: Iterable[GraphRow], targets: Targets) -> list[int]:
    return [row.id for row in rows if row.customer_id != targets[row.id]]


def _read_attached(ids: Sequence[int]) -> set[int]:
    return {id_ for (id_,) in sql.rows("read_attached", {"ids": ids})} if ids else set()


class _Attachable(NamedTuple):
    """Identifiers that may be attached, and the links that may attach them."""

    component: Component
    links: Sequence[AttachingLink]
    new_placeholders: frozenset[int]


def _read_attachable(ids: Set[int], locked: set[UUID], placeholders: Set[int]) -> _Attachable:
    """Lock identifiers and their records, and read the links that may attach them.

    Equal numbers of which a person may have several are attached together, so they are read, too.
    So are other ends without a record: only their links tell which of them are one customer.
    """
    ids = set(ids)
    while True:
        sql.rows("lock_identifiers", {"ids": sorted(ids)})
        component = read_locked(ids, locked, NO_LIMIT)
        locked |= component.locked
        loaded = {row.id for row in component.rows}
        attaching_links = read_attaching_links(
            row.id for row in component.rows if _follows_others(row)
        )
        to_add = {
            attaching.other.id
            for attaching in attaching_links
            if (attaching.link.kind == LinkKind.EQUAL and attaching.other.family is Family.ATTACHED)
            or (attaching.customer_id is None and attaching.other.family in JOINING_FAMILIES)
        }
        if to_add <= loaded:
            new = find_placeholders(component.rows, attaching_links) - placeholders
            return _with_placeholders(_Attachable(component, attaching_links, new), placeholders)
        ids |= to_add


def _with_placeholders(attachable: _Attachable, placeholders: Set[int]) -> _Attachable:
    """Return the identifiers and the other ends of their links with the placeholders marked."""
    marked = placeholders | attachable.new_placeholders
    rows = [
        row._replace(is_placeholder=row.is_placeholder or row.id in marked)
        for row in attachable.component.rows
    ]
    links = [
        attaching._replace(other=attaching.other._replace(is_placeholder=True))
        if attaching.other.id in marked
        else attaching
        for attaching in attachable.links
    ]
    return attachable._replace(component=attachable.component._replace(rows=rows), links=links)


def _place(
    attachable: _Attachable, rows: Mapping[int, GraphRow], targets: Targets, shared: set[int]
) -> dict[int, str]:
    """Write the record of each of these identifiers; return the new states of their links."""
    nodes = {attaching.other.id: attaching.other for attaching in attachable.links}
    nodes |= {row.id: row.node for row in attachable.component.rows}
    # A link may also attach its other end to one of these. The links of that end decide that.
    attaching_links = [
        attaching
        for attaching in attachable.links
        if attaching.other.id in rows or attached_end(nodes, attaching.as_link) in rows
    ]
    component = attachable.component
    links = list(dict.fromkeys([*component.links, *(link.link for link in attaching_links)]))
    records = _records_of_ends(component, attaching_links, rows, targets)
    as_links = [link.link(is_current=True) for link in links]
    effective = effective_decisions(nodes, as_links, component.decisions)
    placed = {id_: record for id_, record in (targets | records).items() if record}
    holders = {**effective.records, **placed}
    continued = continued_periods(nodes, as_links, component.decisions, holders)
    decisions = _decisions(effective, records, rows.keys(), targets)
    attached = _attach(nodes, as_links, records, decisions, continued)
    groups = attached.groups
    shared |= attached.ambiguous & rows.keys()
    own_targets = choose_targets(rows, (groups.members(id_) & rows.keys() for id_ in rows))
    for id_ in rows:
        held_by = (records.get(member) for member in groups.members(id_))
        targets[id_] = next((record for record in held_by if record), own_targets[id_])
    inert = [
        attaching.link
        for attaching in attachable.links
        if not has_sufficient_evidence(nodes, attaching.as_link)
    ]
    affected = dict.fromkeys([*links, *inert])
    return _states(nodes, affected, attached.could_attach, groups, rows.keys())


class _Attached(NamedTuple):
    """The groups with the attached identifiers."""

    groups: DisjointGroups
    # The links that could attach an identifier.
    could_attach: Set[IdentifierLink]
    # Identifiers that several records have.
    ambiguous: Set[int]


def _attach(
    nodes: Mapping[int, IdentifierNode],
    links: Sequence[IdentifierLink],
    records: Mapping[int, UUID | None],
    decisions: Iterable[ManualDecision],
    continued: Iterable[IdentifierLink],
) -> _Attached:
    """Attach identifiers to the ends with a record in `records`, or to ends without a record.

    continued: the links between periods of an address that did not end
    """
    # The grouping has already decided which of the ends with a record are one customer.
    undecided = [link for link in links if not any(records.get(end) for end in link.pair)]
    # The grouping has already joined the periods of a mailbox.
    of_phones = [link for link in continued if nodes[link.first].kind == PHONE]
    groups, _ = join_records(nodes, undecided, decisions, attaching=links, continued=of_phones)
    could_attach, ambiguous = attach_identifiers(nodes, links, groups)
    return _Attached(groups, set(could_attach), ambiguous)


def _records_of_ends(
    component: Component,
    attaching_links: Iterable[AttachingLink],
    rows: Mapping[int, GraphRow],
    targets: Targets,
) -> dict[int, UUID | None]:
    """Return the records of the identifiers to which those in `rows` may be attached."""
    records = {
        row.id: targets.get(row.id, row.customer_id) for row in component.rows if row.id not in rows
    }
    records |= {
        attaching.other.id: targets.get(attaching.other.id, attaching.customer_id)
        for attaching in attaching_links
        if attaching.other.id not in rows
    }
    return records


def _states(
    nodes: Mapping[int, IdentifierNode],
    links: Iterable[StoredLink],
    could_attach: Set[IdentifierLink],
    groups: DisjointGroups,
    placed: Set[int],
) -> dict[int, str]:
    """Return the new states of links, as far as they change.

    placed: the identifiers that this call places
    """
    states = {}
    for link in links:
        if link.link(is_current=True) in could_attach:
            state = "attached" if groups.same(link.first, link.second) else "contested"
        elif is_across_erasures(nodes, link.first, link.second) or (
            link.state in ("attached", "contested")
            and not placed.isdisjoint((link.first, link.second))
        ):
            # It attaches nothing: one end became a placeholder, or a source moved to another space.
            state = "filed"
        else:
            continue
        if state != link.state:
            states[link.id] = state
    return states


def _states_beyond_limit(attachable: _Attachable, targets: Targets) -> dict[int, str]:
    """Return the states of new links that were not read, because many stronger links precede them.

    They attach nothing, so each of them leads to the record of its card, phone or number, or is
    contested.
    """
    counts = Counter(attaching.identifier for attaching in attachable.links)
    excluded = attachable.new_placeholders | {
        row.id for row in attachable.component.rows if row.is_placeholder
    }
    full = [id_ for id_, count in counts.items() if count >= LINK_LIMIT and id_ not in excluded]
    if not full:
        return {}
    read = [attaching.link.id for attaching in attachable.links]
    params = {"ids": full, "excluded": read, "limit": _MAX_UNDECIDED}
    return {
        link: "attached" if targets.get(attached) == record else "contested"
        for link, attached, other, customer_id in sql.rows("read_undecided_links", params)
        if (record := targets.get(other, customer_id))
    }


def _decisions(
    effective: EffectiveDecisions,
    records: Mapping[int, UUID | None],
    ids: Set[int],
    targets: Targets,
) -> list[ManualDecision]:
    """Return decisions that keep the identifiers of one record together, and separated records apart.

    A separation from one identifier of a record is a separation from all of its identifiers.
    """
    by_record: dict[UUID, list[int]] = {}
    for id_ in sorted(records):
        if record := records[id_]:
            by_record.setdefault(record, []).append(id_)
    merges = [pair for members in by_record.values() for pair in pairwise(members)]
    separations = [
        (id_, members[0])
        for id_, record in _separated_records(effective, ids, targets)
        if (members := by_record.get(record))
    ]
    # The records are decided already, so they are joined first. No merge with one identifier of a
    # record outweighs the separation from another one.
    return [
        *_of_pairs(DecisionKind.MERGE, merges, _FIRST_TIME),
        *(decision for decision in effective.decisions if not _is_of_one(decision.pair, records)),
        *_of_pairs(DecisionKind.SEPARATE, separations, _LAST_TIME),
    ]


def _of_pairs(kind: str, pairs: Iterable[Pair], time: datetime) -> Iterator[ManualDecision]:
    return (ManualDecision(kind, *pair_of(*pair), time, 0) for pair in pairs)


def _is_of_one(pair: Pair, records: Mapping[int, UUID | None]) -> bool:
    """Tell whether two identifiers are on one record. An older separation of them does not count."""
    first, second = (records.get(end) for end in pair)
    return first is not None and first == second


def _separated_records(
    effective: EffectiveDecisions, ids: Set[int], targets: Targets
) -> list[tuple[int, UUID]]:
    """Return the records that people separated from these identifiers, as (identifier, record)."""
    return [
        (id_, record)
        for decision in effective.decisions
        if decision.kind == DecisionKind.SEPARATE
        for id_, other in (decision.pair, decision.pair[::-1])
        if id_ in ids and other not in ids
        if (record := targets.get(other) or effective.records.get(other))
    ]
