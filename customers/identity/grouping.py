"""Groups identifiers into customers. Pure.

The groups depend only on the links and the decisions of people. The order of arrival, delays,
repetitions and rebuilds do not change them. docs/adr/0016 gives the reasons for the rules:

1. People and aliases of an owner join. Each pair follows its last decision.
2. Links between accounts and mailboxes join: proved links first, then the earliest.
3. Links between accounts join, if they share a mailbox or a space that somebody named.
4. A card, a phone or a device hangs on one record, and joins nothing.

Rules 2 to 4 use the proved links before all others.

A link that the rules refuse is contested: both records stay as they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple

from customers.identity.families import PHONE, Family
from customers.identity.groups import Groups
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
    Pair,
    last_decisions,
)
from customers.types import CONFIRMED, STATED


class Grouping(NamedTuple):
    """The groups of identifiers, and what the rules refused."""

    groups: Sequence[frozenset[int]]
    # Links of step 2, 3 and 4 whose ends are in two groups.
    contested: Sequence[IdentifierLink]
    # Phones and devices that several records have, so they hang on none.
    ambiguous: frozenset[int]


def group(
    nodes: Iterable[IdentifierNode],
    links: Iterable[IdentifierLink],
    decisions: Iterable[ManualDecision] = (),
) -> Grouping:
    """Group the identifiers so that each group is one customer.

    An order forms a group of its own, unless staff merged it with other identifiers;
    `order_ownership` computes the record that it belongs to.
    """
    by_id = {node.id: node for node in nodes}
    links = list(links)
    groups, joining = join_records(by_id, links, decisions)
    hanging, ambiguous = hang_identifiers(by_id, links, groups)
    contested = [
        link
        for link in dict.fromkeys([*joining, *hanging])
        if not groups.same(link.first, link.second)
    ]
    return Grouping(groups.as_sets(), contested, ambiguous)


def join_records(
    by_id: Mapping[int, IdentifierNode],
    links: Iterable[IdentifierLink],
    decisions: Iterable[ManualDecision],
) -> tuple[Groups, list[IdentifierLink]]:
    """Apply rules 1 to 3; return the groups, and the links that could join accounts."""
    links, decisions = _in_order(by_id, links), list(decisions)
    groups = _decided_groups(by_id, links, decisions)
    joining = [link for link in links if _joins_mailbox(by_id, link)]
    joining += [link for link in links if _joins_accounts(by_id, link)]
    mailboxes = _named_mailboxes(by_id, links)
    # Proofs come first, so that no statement takes a proved link. What hangs on an account matters
    # here only if a person separated it from somebody.
    separated = {end for decision in decisions for end in decision.pair}
    _join_accounts(by_id, [*filter(_is_proof, joining)], mailboxes, groups)
    hanging = [(hung, link) for hung, link in _hanging(by_id, links) if hung in separated]
    _hang_proved(by_id, hanging, groups)
    _join_accounts(by_id, joining, mailboxes, groups)
    return groups, joining


def hang_identifiers(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink], groups: Groups
) -> tuple[list[IdentifierLink], frozenset[int]]:
    """Apply rule 4: hang cards, phones, devices and noted numbers on records.

    Returns the links that could hang one, and the ids that several records have.
    """
    links = _in_order(by_id, links)
    hanging = _hanging(by_id, links)
    equal = [link for link in links if _joins_attached(by_id, link)]
    _hang_proved(by_id, hanging, groups)
    _hang_noted_numbers(by_id, hanging, groups)
    _join_equal_attached(equal, groups)
    ambiguous = _hang(by_id, hanging, groups)
    return [*(link for _, link in hanging), *equal], ambiguous


def _hanging(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink]
) -> list[tuple[int, IdentifierLink]]:
    return [(hung, link) for link in links if (hung := _hung_end(by_id, link)) is not None]


def _in_order(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink]
) -> list[IdentifierLink]:
    """Return the links between these nodes, the earliest first.

    Links of one event have one time and one arrival number; their strongest identifiers decide.
    """
    return sorted(
        (link for link in links if link.first in by_id and link.second in by_id),
        key=lambda link: (link.order, sorted(by_id[id_].order for id_ in link.pair)),
    )


def _decided_groups(
    by_id: Mapping[int, IdentifierNode],
    links: Sequence[IdentifierLink],
    decisions: Iterable[ManualDecision],
) -> Groups:
    """Return the groups that people and aliases joined."""
    latest = last_decisions(
        decision for decision in decisions if {decision.first, decision.second} <= by_id.keys()
    )
    proved_at: dict[Pair, datetime] = {}
    for link in links:
        if link.is_own_proof:
            earlier = proved_at.get(link.pair, link.occurred_at)
            proved_at[link.pair] = max(earlier, link.occurred_at)
    separated = [
        pair
        for pair, decision in latest.items()
        if decision.kind == DecisionKind.SEPARATE
        # The customer did not prove both ends after the decision.
        and not (pair in proved_at and proved_at[pair] > decision.decided_at)
    ]
    groups = Groups(by_id, separated)
    for decision in latest.values():
        if decision.kind == DecisionKind.MERGE:
            groups.join_by_decision(decision.first, decision.second)
    for link in links:
        if _is_alias(by_id, link) and _counts(by_id, link):
            groups.join_by_decision(link.first, link.second)
    return groups


def _is_alias(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether an owner said that two of its numbers are one account."""
    return link.kind == LinkKind.ALIAS and _are_own_numbers(by_id, link)


def _are_own_numbers(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether both ends are accounts of sources that own their space."""
    is_noted = by_id[link.first].is_noted or by_id[link.second].is_noted
    return _families(by_id, link) == {Family.ACCOUNT} and not is_noted


def _counts(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether the evidence suffices. For a placeholder such as "guest", only a proof does."""
    if by_id[link.first].is_suspect or by_id[link.second].is_suspect:
        return _is_proof(link)
    return link.evidence >= STATED


def _join_accounts(
    by_id: Mapping[int, IdentifierNode],
    joining: Sequence[IdentifierLink],
    mailboxes: Mapping[int, Set[int]],
    groups: Groups,
) -> None:
    """Join accounts and mailboxes until no further link can join.

    A refused link can join later, if its number comes into the group by a merge of two numbers.

    joining: the links with mailboxes in the order of `_in_order`, then those between accounts
    mailboxes: the mailboxes that each account was ever stated with
    """
    has_joined = True
    while has_joined:
        has_joined = False
        for link in joining:
            is_address = _families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX}
            if groups.same(link.first, link.second):
                continue
            if is_address or _may_be_one(by_id, link, mailboxes, groups):
                has_joined |= groups.try_join(link.first, link.second)


def _is_proof(link: IdentifierLink) -> bool:
    """Tell whether a customer proved both ends. Equal numbers and aliases are no proofs."""
    return link.is_proved and link.kind == LinkKind.SEEN


def _joins_mailbox(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    return (
        _counts(by_id, link)
        and _families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX}
        # An account that was replaced after a proof keeps the past of its mailbox.
        and (link.is_proved or link.is_current)
    )


def _joins_accounts(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    return (
        link.kind in (LinkKind.SEEN, LinkKind.EQUAL)
        and _counts(by_id, link)
        and _are_own_numbers(by_id, link)
    )


def _may_be_one(
    by_id: Mapping[int, IdentifierNode],
    link: IdentifierLink,
    mailboxes: Mapping[int, Set[int]],
    groups: Groups,
) -> bool:
    """Tell whether two accounts share a mailbox, or share numbers and have no two mailboxes."""
    if not mailboxes[link.first].isdisjoint(mailboxes[link.second]):
        return True
    have_mailboxes = groups.has_mailbox(link.first) and groups.has_mailbox(link.second)
    return _share_numbers(by_id, link) and not have_mailboxes


def _named_mailboxes(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink]
) -> defaultdict[int, set[int]]:
    """Return the mailboxes that each account has ever been stated with."""
    mailboxes: defaultdict[int, set[int]] = defaultdict(set)
    for link in links:
        if _families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX} and _counts(by_id, link):
            is_first = by_id[link.first].family is Family.ACCOUNT
            account, mailbox = (link.first, link.second) if is_first else (link.second, link.first)
            mailboxes[account].add(mailbox)
    return mailboxes


def _share_numbers(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether the sources of both numbers are known to number the same people.

    In the space `main`, which nobody named, two sources may number different people.
    """
    first, second = by_id[link.first], by_id[link.second]
    if first.source == second.source:
        return True
    return first.space_id == second.space_id and first.has_named_space


def _hang_proved(
    by_id: Mapping[int, IdentifierNode],
    hanging: Iterable[tuple[int, IdentifierLink]],
    groups: Groups,
) -> None:
    """Hang cards and attached numbers by proved links."""
    for unit, links in _units(by_id, hanging, groups):
        if _hangs_by_strength(by_id, unit):
            _hang_unit(by_id, unit, [*filter(_is_proof, links)], groups)


def _hang(
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
        and _counts(by_id, link)
        and _families(by_id, link) == {Family.ATTACHED}
        and _share_numbers(by_id, link)
    )


def _hung_end(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> int | None:
    """Return the end of the link that hangs on the other end; None if the link hangs nothing."""
    first, second = by_id[link.first], by_id[link.second]
    if not _counts(by_id, link):
        return None
    if link.kind == LinkKind.EQUAL:
        is_account = _families(by_id, link) == {Family.ACCOUNT}
        if not is_account or first.is_noted == second.is_noted or not _share_numbers(by_id, link):
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

    links: in the order of `_in_order`
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


def _families(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> set[Family]:
    return {by_id[link.first].family, by_id[link.second].family}


def contested_pairs(grouping: Grouping) -> Iterator[tuple[int, int]]:
    """Yield the pairs of identifiers whose links are contested."""
    yield from dict.fromkeys(link.pair for link in grouping.contested)
