"""Finds the owner of a new identifier without reading the graph, if the owner is certain. Pure.

Most new identifiers are of three kinds: identifiers of a new customer, new orders of a known
customer, and new cards, phones and devices of a known customer. For all of them, this module
returns the same owner as `customers.identity.grouping`. For all other identifiers,
`customers.identity.merging` computes the owner.
"""

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple
from uuid import UUID

from customers.identity import grouping
from customers.identity.families import JOINING_FAMILIES, ORDER, Family, family_of
from customers.identity.links import IdentifierKey, IdentifierLink, IdentifierNode
from customers.identity.statements import LinkStatement, Statements
from customers.types import MAIN_SPACE_ID, STATED, Sender

# Two identifiers that came together, first the one that the event is filed on.
type KeyPair = tuple[IdentifierKey, IdentifierKey]


class CertainOwners(NamedTuple):
    """The records of unknown identifiers whose owner is certain, and the links that make it so."""

    records: dict[IdentifierKey, UUID]
    # The state of each of these links.
    states: dict[LinkStatement, str]


def certain_owners(
    statements: Statements,
    sender: Sender,
    new_records: Mapping[IdentifierKey, UUID],
    owners: Mapping[IdentifierKey, UUID | None],
) -> CertainOwners:
    """Return the records of unknown identifiers whose owner is certain.

    new_records: the records that were just created, by identifier
    owners: the live record of each known identifier; None if it is shared
    """
    people = {
        link: time
        for link, time in statements.items()
        if link.evidence >= STATED and ORDER not in (link.first.kind, link.second.kind)
    }
    certain = _component_owners(people, sender, new_records, owners.keys())
    certain.records.update(_attached_owners(people, sender, new_records, owners, certain))
    linked = {key for link in people for key in link[:2]}
    alone = {
        key: record
        for key, record in new_records.items()
        if key not in linked and key not in owners
    }
    owner_of = {**owners, **alone, **certain.records}
    orders = _order_owners(statements, new_records, owner_of)
    return CertainOwners(certain.records | orders, certain.states)


def _component_owners(
    statements: Statements,
    sender: Sender,
    new_records: Mapping[IdentifierKey, UUID],
    keys_with_owner: Set[IdentifierKey],
) -> CertainOwners:
    """Return owners of linked unknown identifiers that have exactly one new record."""
    certain = CertainOwners({}, {})
    for component in _components(statements):
        keys = {key for link in component for key in link[:2]}
        created = [new_records[key] for key in keys if key in new_records]
        if not keys_with_owner.isdisjoint(keys) or len(created) != 1:
            continue
        if _is_one_group(keys, {link: statements[link] for link in component}, sender):
            certain.records.update(dict.fromkeys(keys, created[0]))
            certain.states.update({link: _state(link, sender) for link in component})
    return certain


def _attached_owners(
    statements: Statements,
    sender: Sender,
    new_records: Mapping[IdentifierKey, UUID],
    owners: Mapping[IdentifierKey, UUID | None],
    certain: CertainOwners,
) -> dict[IdentifierKey, UUID]:
    """Return owners of new cards, phones and devices that came with exactly one known record."""
    links_of: dict[IdentifierKey, list[LinkStatement]] = {}
    for link in statements:
        if link.second not in owners and link.second not in certain.records:
            links_of.setdefault(link.second, []).append(link)
    attached: dict[IdentifierKey, UUID] = {}
    for key, links in links_of.items():
        owners_of_ends = {owners.get(link.first) for link in links}
        owner = next(iter(owners_of_ends))
        can_attach = _family(key, sender) in (Family.ATTACHED, Family.DEVICE)
        # An end that is attached itself could change its record in this batch.
        ends_join = all(_family(link.first, sender) in JOINING_FAMILIES for link in links)
        if (
            key not in new_records
            and can_attach
            and owner
            and len(owners_of_ends) == 1
            and ends_join
        ):
            attached[key] = owner
            certain.states.update(dict.fromkeys(links, "attached"))
    return attached


def _order_owners(
    links: Iterable[LinkStatement],
    new_records: Mapping[IdentifierKey, UUID],
    owners: Mapping[IdentifierKey, UUID | None],
) -> dict[IdentifierKey, UUID]:
    """Return owners of new orders that came with exactly one customer."""
    owners_of_order: dict[IdentifierKey, set[UUID | None]] = {}
    for strongest, other, *_ in links:
        if other.kind == ORDER and other not in owners and other not in new_records:
            owners_of_order.setdefault(other, set()).add(owners.get(strongest))
    return {
        order: owner
        for order, candidates in owners_of_order.items()
        if len(candidates) == 1 and (owner := next(iter(candidates)))
    }


def _components(links: Iterable[LinkStatement]) -> Iterable[list[LinkStatement]]:
    """Divide links into connected components. Union-find keeps this fast for a large batch."""
    parents: dict[IdentifierKey, IdentifierKey] = {}

    def root(key: IdentifierKey) -> IdentifierKey:
        """Return the representative of the component of this key, and shorten the path to it."""
        while (parent := parents.get(key, key)) != key:
            parents[key] = parents.get(parent, parent)
            key = parent
        return key

    links = list(links)
    for link in links:
        parents[root(link.first)] = root(link.second)
    components: dict[IdentifierKey, list[LinkStatement]] = {}
    for link in links:
        components.setdefault(root(link.first), []).append(link)
    return components.values()


def _is_one_group(keys: Set[IdentifierKey], statements: Statements, sender: Sender) -> bool:
    ids = {key: number for number, key in enumerate(sorted(keys))}
    nodes = [
        IdentifierNode(
            id_,
            key.kind,
            key.value,
            space_id=sender.space_id,
            has_named_space=sender.space_id != MAIN_SPACE_ID,
            has_several_ids=sender.has_several_ids,
        )
        for key, id_ in ids.items()
    ]
    links = [
        IdentifierLink(ids[link.first], ids[link.second], link.evidence, link.kind, *time[:2])
        for link, time in statements.items()
    ]
    grouped = grouping.group(nodes, links)
    # An account with two addresses has one that its source replaced: read the log for that.
    mailboxes = sum(key.kind == "email" for key in keys)
    return len(grouped.groups) == 1 and not grouped.contested and mailboxes <= 1


def _state(link: LinkStatement, sender: Sender) -> str:
    """Return the state of a link if all links of its component join or attach."""
    is_joining = {_family(link.first, sender), _family(link.second, sender)} <= JOINING_FAMILIES
    return "joined" if is_joining else "attached"


def _family(key: IdentifierKey, sender: Sender) -> Family:
    return family_of(key.kind, has_several_ids=sender.has_several_ids)
