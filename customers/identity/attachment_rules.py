"""Attaches cards, phones, devices and noted numbers to records: rule 4 of the grouping. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

from customers.identity.disjoint_groups import DisjointGroups
from customers.identity.families import PHONE, Family
from customers.identity.link_rules import (
    families,
    has_sufficient_evidence,
    in_order,
    is_proof,
    share_numbers,
)
from customers.identity.links import IdentifierLink, IdentifierNode, LinkKind
from customers.types import CONFIRMED


def attach_identifiers(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink], groups: DisjointGroups
) -> tuple[list[IdentifierLink], frozenset[int]]:
    """Apply rule 4: attach cards, phones, devices and noted numbers to records.

    Returns the links that could attach one of them, and the ids that several records have.
    """
    links = in_order(by_id, links)
    attaching = attaching_links(by_id, links)
    equal = [link for link in links if _joins_attached(by_id, link)]
    attach_proved(by_id, attaching, groups)
    _attach_noted_numbers(by_id, attaching, groups)
    _join_equal_attached(equal, groups)
    ambiguous = _attach_rest(by_id, attaching, groups)
    return [*(link for _, link in attaching), *equal], ambiguous


def attaching_links(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink]
) -> list[tuple[int, IdentifierLink]]:
    """Return the links that could attach one end to the other, each after the end to attach."""
    return [
        (attached, link) for link in links if (attached := attached_end(by_id, link)) is not None
    ]


def attach_proved(
    by_id: Mapping[int, IdentifierNode],
    attaching: Iterable[tuple[int, IdentifierLink]],
    groups: DisjointGroups,
) -> None:
    """Attach cards and attached numbers by proved links.

    A number may be attached to a card first. The proved links of both then attach the two.
    """
    attaching = [(attached, link) for attached, link in attaching if is_proof(link)]
    has_joined = True
    while has_joined:
        has_joined = False
        for unit, links in _units(by_id, attaching, groups):
            if _attaches_by_strength(by_id, unit):
                _attach_unit(by_id, unit, links, groups)
                has_joined |= groups.members(next(iter(unit))) != unit


def _attach_rest(
    by_id: Mapping[int, IdentifierNode],
    attaching: Iterable[tuple[int, IdentifierLink]],
    groups: DisjointGroups,
) -> frozenset[int]:
    """Attach the other cards, phones, numbers and devices to records.

    Returns the ids that several records have, so that they are attached to none.
    """
    ambiguous: set[int] = set()
    for unit, links in _units(by_id, attaching, groups):
        if not _attach_unit(by_id, unit, links, groups):
            ambiguous |= unit
    return frozenset(ambiguous)


def _attach_noted_numbers(
    by_id: Mapping[int, IdentifierNode],
    attaching: Iterable[tuple[int, IdentifierLink]],
    groups: DisjointGroups,
) -> None:
    """Attach each number that a till named to the only record with that number in the space."""
    links_of: defaultdict[int, list[IdentifierLink]] = defaultdict(list)
    for attached, link in attaching:
        if link.kind == LinkKind.EQUAL and groups.is_alone(attached):
            links_of[attached].append(link)
    for id_ in sorted(links_of, key=lambda id_: by_id[id_].order):
        ends = {groups.group_id(_other_end(link, {id_})) for link in links_of[id_]}
        if len(ends) == 1:
            groups.try_join(*links_of[id_][0].pair)


def _join_equal_attached(equal: Iterable[IdentifierLink], groups: DisjointGroups) -> None:
    """Join equal numbers that are not attached yet, so that they are attached to one record."""
    for link in equal:
        if not (groups.is_attached(link.first) and groups.is_attached(link.second)):
            groups.try_join(link.first, link.second)


def _joins_attached(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether both ends are one number of a space in which a person may have several."""
    return (
        link.kind == LinkKind.EQUAL
        and has_sufficient_evidence(by_id, link)
        and families(by_id, link) == {Family.ATTACHED}
        and share_numbers(by_id, link)
    )


def attached_end(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> int | None:
    """Return the end that the link attaches to the other end; None if it attaches nothing."""
    first, second = by_id[link.first], by_id[link.second]
    if not has_sufficient_evidence(by_id, link):
        return None
    if link.kind == LinkKind.EQUAL:
        is_account = families(by_id, link) == {Family.ACCOUNT}
        if not is_account or first.is_noted == second.is_noted or not share_numbers(by_id, link):
            return None
        return first.id if first.is_noted else second.id
    if first.rank == second.rank:
        return None
    weaker, stronger = (first, second) if first.rank > second.rank else (second, first)
    can_attach = weaker.family in (Family.ATTACHED, Family.DEVICE)
    return weaker.id if can_attach and stronger.family in _TARGET_FAMILIES else None


_TARGET_FAMILIES = frozenset({Family.ACCOUNT, Family.MAILBOX, Family.ATTACHED})


# Identifiers that are attached together, because a person or an equal number joined them.
type _Unit = frozenset[int]


def _units(
    by_id: Mapping[int, IdentifierNode],
    attaching: Iterable[tuple[int, IdentifierLink]],
    groups: DisjointGroups,
) -> list[tuple[_Unit, list[IdentifierLink]]]:
    """Return the units without a record, the strongest first, and the links that could attach each."""
    units: defaultdict[_Unit, list[IdentifierLink]] = defaultdict(list)
    for attached, link in attaching:
        if not groups.is_attached(attached):
            units[groups.members(attached)].append(link)
    return sorted(units.items(), key=lambda unit: _strongest(by_id, unit[0]).order)


def _attach_unit(
    by_id: Mapping[int, IdentifierNode],
    unit: _Unit,
    links: Iterable[IdentifierLink],
    groups: DisjointGroups,
) -> bool:
    """Attach a unit to the record that these links choose; return whether the record is clear.

    The record is not clear if several records have the unit.
    """
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
    groups: DisjointGroups,
) -> IdentifierLink | None:
    """Return the link that attaches a unit to a record; None if no record or several have it.

    links: in the order of `in_order`
    """
    if not links:
        return None
    if _attaches_by_strength(by_id, unit):
        return min(links, key=lambda link: -link.evidence)
    is_phone = _strongest(by_id, unit).kind == PHONE
    confirmed = [link for link in links if link.evidence >= CONFIRMED]
    for candidates in (links, confirmed if is_phone else ()):
        if len({groups.group_id(_other_end(link, unit)) for link in candidates}) == 1:
            return candidates[0]
    return None


def _attaches_by_strength(by_id: Mapping[int, IdentifierNode], unit: _Unit) -> bool:
    """Tell whether the strongest link decides. Phones and devices need a single record instead."""
    strongest = _strongest(by_id, unit)
    return strongest.kind != PHONE and strongest.family is Family.ATTACHED


def _strongest(by_id: Mapping[int, IdentifierNode], unit: Set[int]) -> IdentifierNode:
    return min((by_id[id_] for id_ in unit), key=lambda node: node.order)


def _other_end(link: IdentifierLink, unit: Set[int]) -> int:
    return link.second if link.first in unit else link.first
