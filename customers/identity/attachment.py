"""Hangs cards, phones, devices and noted numbers on records: rule 4 of the grouping. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

from customers.identity.families import PHONE, Family
from customers.identity.groups import Groups
from customers.identity.link_rules import counts, families, in_order, is_proof, share_numbers
from customers.identity.links import IdentifierLink, IdentifierNode, LinkKind
from customers.types import CONFIRMED


def hang_identifiers(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink], groups: Groups
) -> tuple[list[IdentifierLink], frozenset[int]]:
    """Apply rule 4: hang cards, phones, devices and noted numbers on records.

    Returns the links that could hang one, and the ids that several records have.
    """
    links = in_order(by_id, links)
    hanging = hanging_links(by_id, links)
    equal = [link for link in links if _joins_attached(by_id, link)]
    hang_proved(by_id, hanging, groups)
    _hang_noted_numbers(by_id, hanging, groups)
    _join_equal_attached(equal, groups)
    ambiguous = _hang_rest(by_id, hanging, groups)
    return [*(link for _, link in hanging), *equal], ambiguous


def hanging_links(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink]
) -> list[tuple[int, IdentifierLink]]:
    """Return the links that could hang one end on the other, each after the end that hangs."""
    return [(hung, link) for link in links if (hung := hung_end(by_id, link)) is not None]


def hang_proved(
    by_id: Mapping[int, IdentifierNode],
    hanging: Iterable[tuple[int, IdentifierLink]],
    groups: Groups,
) -> None:
    """Hang cards and attached numbers by proved links.

    A number may hang on a card first. Then both hang by the proved links of both.
    """
    hanging = [(hung, link) for hung, link in hanging if is_proof(link)]
    has_joined = True
    while has_joined:
        has_joined = False
        for unit, links in _units(by_id, hanging, groups):
            if _hangs_by_strength(by_id, unit):
                _hang_unit(by_id, unit, links, groups)
                has_joined |= groups.members(next(iter(unit))) != unit


def _hang_rest(
    by_id: Mapping[int, IdentifierNode],
    hanging: Iterable[tuple[int, IdentifierLink]],
    groups: Groups,
) -> frozenset[int]:
    """Hang cards, phones, attached numbers and devices on records.

    Returns the ids that several records have, so that they hang on none.
    """
    ambiguous: set[int] = set()
    for unit, links in _units(by_id, hanging, groups):
        if not _hang_unit(by_id, unit, links, groups):
            ambiguous |= unit
    return frozenset(ambiguous)


def _hang_noted_numbers(
    by_id: Mapping[int, IdentifierNode],
    hanging: Iterable[tuple[int, IdentifierLink]],
    groups: Groups,
) -> None:
    """Hang each number that a till named on the only record with that number in the space."""
    links_of: defaultdict[int, list[IdentifierLink]] = defaultdict(list)
    for hung, link in hanging:
        if link.kind == LinkKind.EQUAL and groups.is_alone(hung):
            links_of[hung].append(link)
    for id_ in sorted(links_of, key=lambda id_: by_id[id_].order):
        ends = {groups.group_id(_other_end(link, {id_})) for link in links_of[id_]}
        if len(ends) == 1:
            groups.try_join(*links_of[id_][0].pair)


def _join_equal_attached(equal: Iterable[IdentifierLink], groups: Groups) -> None:
    """Join equal numbers that do not hang on records yet, so that they hang on one together."""
    for link in equal:
        if not (groups.is_hung(link.first) and groups.is_hung(link.second)):
            groups.try_join(link.first, link.second)


def _joins_attached(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether both ends are one number of a space in which a person may have several."""
    return (
        link.kind == LinkKind.EQUAL
        and counts(by_id, link)
        and families(by_id, link) == {Family.ATTACHED}
        and share_numbers(by_id, link)
    )


def hung_end(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> int | None:
    """Return the end of the link that hangs on the other end; None if the link hangs nothing."""
    first, second = by_id[link.first], by_id[link.second]
    if not counts(by_id, link):
        return None
    if link.kind == LinkKind.EQUAL:
        is_account = families(by_id, link) == {Family.ACCOUNT}
        if not is_account or first.is_noted == second.is_noted or not share_numbers(by_id, link):
            return None
        return first.id if first.is_noted else second.id
    if first.rank == second.rank:
        return None
    weaker, stronger = (first, second) if first.rank > second.rank else (second, first)
    is_hung = weaker.family in (Family.ATTACHED, Family.DEVICE)
    return weaker.id if is_hung and stronger.family in _HOLDERS else None


_HOLDERS = frozenset({Family.ACCOUNT, Family.MAILBOX, Family.ATTACHED})


# Identifiers that hang together, because a person or an equal number joined them.
type _Unit = frozenset[int]


def _units(
    by_id: Mapping[int, IdentifierNode],
    hanging: Iterable[tuple[int, IdentifierLink]],
    groups: Groups,
) -> list[tuple[_Unit, list[IdentifierLink]]]:
    """Return what hangs on no record yet, the strongest first, and the links that could hang it."""
    units: defaultdict[_Unit, list[IdentifierLink]] = defaultdict(list)
    for hung, link in hanging:
        if not groups.is_hung(hung):
            units[groups.members(hung)].append(link)
    return sorted(units.items(), key=lambda unit: _strongest(by_id, unit[0]).order)


def _hang_unit(
    by_id: Mapping[int, IdentifierNode],
    unit: _Unit,
    links: Iterable[IdentifierLink],
    groups: Groups,
) -> bool:
    """Hang a unit on the record that these links choose; return whether the record is clear."""
    usable = [
        link
        for link in links
        if not groups.same(link.first, link.second)
        and not groups.are_separated(link.first, link.second)
    ]
    chosen = _chosen_link(by_id, unit, usable, groups)
    if chosen:
        groups.try_join(chosen.first, chosen.second)
    return chosen is not None or not usable


def _chosen_link(
    by_id: Mapping[int, IdentifierNode],
    unit: _Unit,
    links: Sequence[IdentifierLink],
    groups: Groups,
) -> IdentifierLink | None:
    """Return the link by which a unit hangs on a record; None if no record or several have it.

    links: in the order of `in_order`
    """
    if not links:
        return None
    if _hangs_by_strength(by_id, unit):
        return min(links, key=lambda link: -link.evidence)
    is_phone = _strongest(by_id, unit).kind == PHONE
    confirmed = [link for link in links if link.evidence >= CONFIRMED]
    for candidates in (links, confirmed if is_phone else ()):
        if len({groups.group_id(_other_end(link, unit)) for link in candidates}) == 1:
            return candidates[0]
    return None


def _hangs_by_strength(by_id: Mapping[int, IdentifierNode], unit: _Unit) -> bool:
    """Tell whether the strongest link decides. A phone or a device hangs only where it is clear."""
    strongest = _strongest(by_id, unit)
    return strongest.kind != PHONE and strongest.family is Family.ATTACHED


def _strongest(by_id: Mapping[int, IdentifierNode], unit: Set[int]) -> IdentifierNode:
    return min((by_id[id_] for id_ in unit), key=lambda node: node.order)


def _other_end(link: IdentifierLink, unit: Set[int]) -> int:
    return link.second if link.first in unit else link.first
