"""Groups identifiers into customers. Pure.

The groups depend only on the links and the decisions of people. The order of arrival, delays,
repetitions and rebuilds do not change them. docs/adr/0016 gives the reasons for the rules:

1. People and aliases of an owner join. Each pair follows its last decision.
2. Links between accounts and mailboxes join: proved links first, then the earliest.
3. Links between accounts join, if they share a mailbox or a space that somebody named.
4. A card, a phone or a device hangs on one record, and joins nothing.

A link that the rules refuse is contested: both records stay as they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from customers.identity.families import PHONE, Family, filing_rank
from customers.identity.groups import Groups
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
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
    links = [link for link in links if link.first in by_id and link.second in by_id]
    groups = _decided_groups(by_id, links, decisions)
    joining = _join_mailboxes(by_id, links, groups) + _join_accounts(by_id, links, groups)
    hanging, ambiguous = _hang(by_id, links, groups)
    contested = [
        link
        for link in dict.fromkeys([*joining, *hanging])
        if not groups.same(link.first, link.second)
    ]
    return Grouping(groups.as_sets(), contested, ambiguous)


def _decided_groups(
    by_id: Mapping[int, IdentifierNode],
    links: Sequence[IdentifierLink],
    decisions: Iterable[ManualDecision],
) -> Groups:
    """Return the groups that people and aliases joined."""
    latest = last_decisions(
        decision for decision in decisions if {decision.first, decision.second} <= by_id.keys()
    )
    proofs = {link.pair: link for link in sorted(links, key=_by_time) if link.is_own_proof}
    separated = [
        pair
        for pair, decision in latest.items()
        if decision.kind == DecisionKind.SEPARATE
        # The customer proved both ends after the decision.
        and not (pair in proofs and proofs[pair].occurred_at > decision.decided_at)
    ]
    groups = Groups(by_id, separated)
    for decision in latest.values():
        if decision.kind == DecisionKind.MERGE:
            groups.join_by_decision(decision.first, decision.second)
    for link in sorted(links, key=lambda link: link.order):
        if link.kind == LinkKind.ALIAS and link.evidence >= STATED:
            groups.join_by_decision(link.first, link.second)
    return groups


def _by_time(link: IdentifierLink) -> tuple[object, ...]:
    return link.occurred_at, link.arrival


def _join_mailboxes(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink], groups: Groups
) -> list[IdentifierLink]:
    """Join accounts and mailboxes; return the links that could join."""
    joining = sorted(
        (link for link in links if _joins_mailbox(by_id, link)), key=lambda link: link.order
    )
    for link in joining:
        groups.try_join(link.first, link.second)
    return joining


def _joins_mailbox(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    if link.kind != LinkKind.SEEN or link.evidence < STATED:
        return False
    if _families(by_id, link) != {Family.ACCOUNT, Family.MAILBOX}:
        return False
    # An account that was replaced after a proof keeps the past of its mailbox.
    return link.is_proved or (link.is_current and not _is_suspect(by_id, link))


def _join_accounts(
    by_id: Mapping[int, IdentifierNode], links: Sequence[IdentifierLink], groups: Groups
) -> list[IdentifierLink]:
    """Join accounts with equal numbers, and accounts of one event; return the links that could."""
    mailboxes = _named_mailboxes(by_id, links)
    joining = sorted(
        (link for link in links if _joins_accounts(by_id, link)), key=lambda link: link.order
    )
    for link in joining:
        share_mailbox = not mailboxes[link.first].isdisjoint(mailboxes[link.second])
        have_mailboxes = groups.has_mailbox(link.first) and groups.has_mailbox(link.second)
        if share_mailbox or (_share_numbers(by_id, link) and not have_mailboxes):
            groups.try_join(link.first, link.second)
    return joining


def _joins_accounts(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    return (
        link.kind in (LinkKind.SEEN, LinkKind.EQUAL)
        and link.evidence >= STATED
        and _families(by_id, link) == {Family.ACCOUNT}
        and not (by_id[link.first].is_noted or by_id[link.second].is_noted)
        and not _is_suspect(by_id, link)
    )


def _named_mailboxes(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink]
) -> defaultdict[int, set[int]]:
    """Return the mailboxes that each account has ever been stated with."""
    mailboxes: defaultdict[int, set[int]] = defaultdict(set)
    for link in links:
        if link.evidence >= STATED and _families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX}:
            is_first = by_id[link.first].family is Family.ACCOUNT
            account, mailbox = (
                (link.first, link.second) if is_first else (link.second, link.first)
            )
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


def _hang(
    by_id: Mapping[int, IdentifierNode], links: Sequence[IdentifierLink], groups: Groups
) -> tuple[list[IdentifierLink], frozenset[int]]:
    """Hang cards, phones, devices and noted numbers on records.

    Returns the links that could hang one, and the ids that several records have.
    """
    hanging = [(hung, link) for link in links if (hung := _hung_end(by_id, link)) is not None]
    _hang_noted_numbers(by_id, hanging, groups)
    _join_equal_attached(by_id, links, groups)
    units: defaultdict[frozenset[int], list[IdentifierLink]] = defaultdict(list)
    for hung, link in hanging:
        if not groups.is_hung(hung):
            units[groups.members(hung)].append(link)
    ambiguous: set[int] = set()
    for unit in sorted(units, key=lambda unit: min((_rank(by_id[id_]), id_) for id_ in unit)):
        usable = [
            link
            for link in units[unit]
            if not groups.same(link.first, link.second)
            and not groups.are_separated(link.first, link.second)
        ]
        strongest = min((by_id[id_] for id_ in unit), key=_rank)
        chosen = _chosen_record(strongest, unit, usable, groups)
        if chosen:
            groups.try_join(chosen.first, chosen.second)
        elif usable:
            ambiguous |= unit
    return [link for _, link in hanging], frozenset(ambiguous)


def _hang_noted_numbers(
    by_id: Mapping[int, IdentifierNode],
    hanging: Iterable[tuple[int, IdentifierLink]],
    groups: Groups,
) -> None:
    """Hang each number that a till named on the only record with that number in the space."""
    links_of: defaultdict[int, list[IdentifierLink]] = defaultdict(list)
    for hung, link in hanging:
        if link.kind == LinkKind.EQUAL and len(groups.members(hung)) == 1:
            links_of[hung].append(link)
    for id_, links in links_of.items():
        ends = {groups.group_id(_other_end(link, {id_})): link for link in links}
        if len(ends) == 1:
            groups.try_join(links[0].first, links[0].second)


def _join_equal_attached(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink], groups: Groups
) -> None:
    """Join equal numbers of a named space in which one person may have several."""
    for link in sorted(links, key=lambda link: link.order):
        is_attached = _families(by_id, link) == {Family.ATTACHED}
        if link.kind == LinkKind.EQUAL and is_attached and _share_numbers(by_id, link):
            if not (groups.is_hung(link.first) and groups.is_hung(link.second)):
                groups.try_join(link.first, link.second)


def _hung_end(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> int | None:
    """Return the end of the link that hangs on the other end; None if the link hangs nothing."""
    first, second = by_id[link.first], by_id[link.second]
    if link.evidence < STATED or (_is_suspect(by_id, link) and not link.is_proved):
        return None
    if link.kind == LinkKind.EQUAL:
        is_account = _families(by_id, link) == {Family.ACCOUNT}
        if not is_account or first.is_noted == second.is_noted or not _share_numbers(by_id, link):
            return None
        return first.id if first.is_noted else second.id
    if link.kind != LinkKind.SEEN or _rank(first) == _rank(second):
        return None
    weaker, stronger = (first, second) if _rank(first) > _rank(second) else (second, first)
    is_hung = weaker.family in (Family.ATTACHED, Family.DEVICE)
    return weaker.id if is_hung and stronger.family in _HOLDERS else None


_HOLDERS = frozenset({Family.ACCOUNT, Family.MAILBOX, Family.ATTACHED})


def _chosen_record(
    node: IdentifierNode, unit: Set[int], links: Sequence[IdentifierLink], groups: Groups
) -> IdentifierLink | None:
    """Return the link by which identifiers hang on a record; None if there is none.

    node: the strongest identifier of the unit. A phone or a device hangs only where it is clear.
    """
    if not links:
        return None
    if node.kind != PHONE and node.family is Family.ATTACHED:
        return min(links, key=lambda link: (-link.evidence, link.order))
    confirmed = [link for link in links if link.evidence >= CONFIRMED]
    for candidates in (links, confirmed if node.kind == PHONE else ()):
        if len({groups.group_id(_other_end(link, unit)) for link in candidates}) == 1:
            return min(candidates, key=lambda link: link.order)
    return None


def _other_end(link: IdentifierLink, unit: Set[int]) -> int:
    return link.second if link.first in unit else link.first


def _families(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> set[Family]:
    return {by_id[link.first].family, by_id[link.second].family}


def _is_suspect(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    return by_id[link.first].is_suspect or by_id[link.second].is_suspect


def _rank(node: IdentifierNode) -> int:
    return filing_rank(node.kind, has_several_ids=node.has_several_ids)


def contested_pairs(grouping: Grouping) -> Iterator[tuple[int, int]]:
    """Yield the pairs of identifiers whose links are contested."""
    yield from dict.fromkeys(link.pair for link in grouping.contested)
