"""Whose an identifier is that nobody has seen before, where that needs no look at the graph.

Pure. Most news is of two kinds: somebody of whom nothing at all is known, and a new order of
somebody who is known. Both come to the same as drawing the groups would; everything else is
left to `customers.identity.merging`.
"""

from collections.abc import Iterable, Mapping, Set
from uuid import UUID

from customers.identity import grouping
from customers.identity.grouping import ORDER, Tie

# (kind, value, evidence), normalized.
type Atom = tuple[str, str, int]


def settle(
    links: Set[tuple[Atom, Atom]],
    evidence: int,
    records: Mapping[Atom, UUID],
    owners: Mapping[Atom, UUID | None],
) -> dict[Atom, UUID]:
    """Return the record that unknown identifiers belong to, where it is certain.

    links: pairs seen together, the one that an event is filed under first
    records: what was just opened for identifiers
    owners: the live record of each known identifier; None where it is shared
    """
    of_people = {link for link in links if ORDER not in (link[0][0], link[1][0])}
    settled: dict[Atom, UUID] = {}
    for together in _hanging_together(of_people):
        strangers = {atom for link in together for atom in link}
        opened = [records[atom] for atom in strangers if atom in records]
        if not owners.keys().isdisjoint(strangers) or len(opened) != 1:
            continue
        if _are_one(strangers, together, evidence):
            settled |= dict.fromkeys(strangers, opened[0])
    linked = {atom for link in of_people for atom in link}
    alone = {a: id_ for a, id_ in records.items() if a not in linked and a not in owners}
    return settled | _orders(links, records, {**owners, **alone, **settled})


def _orders(
    links: Set[tuple[Atom, Atom]], records: Mapping[Atom, UUID], owners: Mapping[Atom, UUID | None]
) -> dict[Atom, UUID]:
    """Give a new order to the one customer it came with."""
    came_with: dict[Atom, set[UUID | None]] = {}
    for head, other in links:
        if other[0] == ORDER and other not in owners and other not in records:
            came_with.setdefault(other, set()).add(owners.get(head))
    return {
        atom: owner
        for atom, found in came_with.items()
        if len(found) == 1 and (owner := next(iter(found)))
    }


def _hanging_together(links: Iterable[tuple[Atom, Atom]]) -> Iterable[list[tuple[Atom, Atom]]]:
    """Sort links into those that hang together, by roots: a batch may be one big heap."""
    above: dict[Atom, Atom] = {}

    def root(atom: Atom) -> Atom:
        while (higher := above.get(atom, atom)) != atom:
            above[atom] = above.get(higher, higher)
            atom = higher
        return atom

    links = list(links)
    for head, other in links:
        above[root(head)] = root(other)
    together: dict[Atom, list[tuple[Atom, Atom]]] = {}
    for link in links:
        together.setdefault(root(link[0]), []).append(link)
    return together.values()


def _are_one(strangers: Set[Atom], links: Iterable[tuple[Atom, Atom]], evidence: int) -> bool:
    numbers = {atom: number for number, atom in enumerate(sorted(strangers))}
    atoms = [grouping.Atom(number, *atom) for atom, number in numbers.items()]
    ties = [Tie(numbers[head], numbers[other], evidence) for head, other in links]
    drawn = grouping.group(atoms, ties)
    return len(drawn.groups) == 1 and not drawn.shared and not drawn.held
