"""Finds the owner of a new identifier without reading the graph, if the owner is certain. Pure.

Most new identifiers are of two kinds: identifiers of a new customer, and new orders of a known
customer. For both, this module returns the same owner as `customers.identity.grouping`. For all
other identifiers, `customers.identity.merging` computes the owner.
"""

from collections.abc import Iterable, Mapping, Set
from uuid import UUID

from customers.identity import grouping
from customers.identity.grouping import (
    ORDER,
    IdentifierKey,
    IdentifierLink,
    IdentifierNode,
)

# Two identifiers that came together, the one that the event is filed under first.
type KeyPair = tuple[IdentifierKey, IdentifierKey]


def certain_owners(
    links: Set[KeyPair],
    evidence: int,
    new_records: Mapping[IdentifierKey, UUID],
    owners: Mapping[IdentifierKey, UUID | None],
) -> dict[IdentifierKey, UUID]:
    """Return the records of unknown identifiers whose owner is certain.

    new_records: the records that were just created, by identifier
    owners: the live record of each known identifier; None if it is shared
    """
    people_links = {link for link in links if ORDER not in (link[0].kind, link[1].kind)}
    certain = _component_owners(people_links, evidence, new_records, owners.keys())
    linked = {key for link in people_links for key in link}
    alone = {
        key: record
        for key, record in new_records.items()
        if key not in linked and key not in owners
    }
    return certain | _order_owners(links, new_records, {**owners, **alone, **certain})


def _component_owners(
    links: Set[KeyPair],
    evidence: int,
    new_records: Mapping[IdentifierKey, UUID],
    keys_with_owner: Set[IdentifierKey],
) -> dict[IdentifierKey, UUID]:
    """Return owners of linked unknown identifiers that have exactly one new record."""
    certain: dict[IdentifierKey, UUID] = {}
    for component in _components(links):
        keys = {key for link in component for key in link}
        opened = [new_records[key] for key in keys if key in new_records]
        if not keys_with_owner.isdisjoint(keys) or len(opened) != 1:
            continue
        if _is_one_group(keys, component, evidence):
            certain |= dict.fromkeys(keys, opened[0])
    return certain


def _order_owners(
    links: Set[KeyPair],
    new_records: Mapping[IdentifierKey, UUID],
    owners: Mapping[IdentifierKey, UUID | None],
) -> dict[IdentifierKey, UUID]:
    """Return owners of new orders that came with exactly one customer."""
    owners_of_order: dict[IdentifierKey, set[UUID | None]] = {}
    for strongest, other in links:
        if other.kind == ORDER and other not in owners and other not in new_records:
            owners_of_order.setdefault(other, set()).add(owners.get(strongest))
    return {
        order: owner
        for order, candidates in owners_of_order.items()
        if len(candidates) == 1 and (owner := next(iter(candidates)))
    }


def _components(links: Iterable[KeyPair]) -> Iterable[list[KeyPair]]:
    """Divide links into connected components. Union-find keeps this fast for a large batch."""
    parents: dict[IdentifierKey, IdentifierKey] = {}

    def root(key: IdentifierKey) -> IdentifierKey:
        """Return the representative of the component of this key, and shorten the path to it."""
        while (parent := parents.get(key, key)) != key:
            parents[key] = parents.get(parent, parent)
            key = parent
        return key

    links = list(links)
    for strongest, other in links:
        parents[root(strongest)] = root(other)
    components: dict[IdentifierKey, list[KeyPair]] = {}
    for link in links:
        components.setdefault(root(link[0]), []).append(link)
    return components.values()


def _is_one_group(keys: Set[IdentifierKey], links: Iterable[KeyPair], evidence: int) -> bool:
    ids = {key: number for number, key in enumerate(sorted(keys))}
    nodes = [IdentifierNode(id_, *key) for key, id_ in ids.items()]
    id_links = [IdentifierLink(ids[strongest], ids[other], evidence) for strongest, other in links]
    grouped = grouping.group(nodes, id_links)
    return len(grouped.groups) == 1 and not grouped.shared and not grouped.refused_links
