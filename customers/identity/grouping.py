"""Groups identifiers into customers. Pure.

The groups depend only on the links and the decisions of people. The order of arrival, delays,
repetitions and rebuilds do not change them. docs/adr/0016 gives the reasons for the rules:

1. Merges by people and aliases of an owner join. The last decision about a pair counts.
   The periods of an address are one if the earlier one did not end.
2. Links between accounts and mailboxes join: proved links first, then the earliest.
3. Links between accounts join, if they share a mailbox or a space that somebody named.
4. A card, a phone or a device is attached to one record, and joins nothing.

Rules 2 to 4 use the proved links before all others.

A link that the rules refuse is contested: both records stay as they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from customers.identity.attachment_rules import attach_identifiers, attach_proved, attaching_links
from customers.identity.disjoint_groups import DisjointGroups
from customers.identity.families import PHONE, Family
from customers.identity.link_rules import (
    are_own_numbers,
    families,
    has_sufficient_evidence,
    in_order,
    is_across_erasures,
    is_alias,
    is_proof,
    share_numbers,
)
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
    last_decisions,
)
from customers.identity.periods import continued_periods
from customers.identity.separations import first_periods, separated_pairs


class Grouping(NamedTuple):
    """The groups of identifiers, and what the rules refused."""

    groups: Sequence[frozenset[int]]
    # Links of step 2, 3 and 4 whose ends are in two groups.
    contested: Sequence[IdentifierLink]
    # Phones and devices that several records have, so they are attached to none.
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
    decisions = list(decisions)
    continued = _continued(by_id, links, decisions)
    groups, joining = join_records(by_id, links, decisions, continued=continued)
    attaching, ambiguous = attach_identifiers(by_id, links, groups)
    contested = [
        link
        for link in dict.fromkeys([*joining, *attaching])
        if not groups.same(link.first, link.second)
    ]
    return Grouping(groups.as_sets(), contested, ambiguous)


def _continued(
    by_id: Mapping[int, IdentifierNode],
    links: Sequence[IdentifierLink],
    decisions: Sequence[ManualDecision],
) -> list[IdentifierLink]:
    """Return the links between periods of an address that did not end.

    The period of a phone depends on the records, which depend on the periods of mailboxes.
    """
    continued = continued_periods(by_id, links, decisions)
    if not any(by_id[border.first].kind == PHONE for border in continued):
        return continued
    of_mailboxes = [border for border in continued if by_id[border.first].kind != PHONE]
    groups, _ = join_records(by_id, links, decisions, continued=of_mailboxes)
    records = {id_: groups.group_id(id_) for id_ in by_id}
    return continued_periods(by_id, links, decisions, records)


def join_records(
    by_id: Mapping[int, IdentifierNode],
    links: Iterable[IdentifierLink],
    decisions: Iterable[ManualDecision],
    attaching: Iterable[IdentifierLink] | None = None,
    continued: Iterable[IdentifierLink] | None = None,
) -> tuple[DisjointGroups, list[IdentifierLink]]:
    """Apply rules 1 to 3; return the groups, and the links that could join accounts.

    attaching: all links that may attach a card or a number; None means that `links` has them
    continued: the links between periods of an address that did not end; None means that `links` has
        all links of these periods
    """
    links, decisions = list(links), list(decisions)
    if continued is None:
        continued = continued_periods(by_id, links, decisions)
    links, continued = in_order(by_id, links), list(continued)
    groups = _decided_groups(by_id, links, decisions, continued)
    joining = [link for link in links if _joins_mailbox(by_id, link)]
    joining += [link for link in links if _joins_accounts(by_id, link)]
    mailboxes = _named_mailboxes(by_id, links, first_periods(continued))
    # Proofs come first, so that no statement replaces a proved link. Cards and numbers matter here
    # only if a staff member separated them, or numbers that are attached to them, from an account.
    _join_accounts(by_id, [*filter(is_proof, joining)], mailboxes, groups)
    could_attach = links if attaching is None else in_order(by_id, attaching)
    attach_proved(by_id, attaching_links(by_id, could_attach), groups)
    _join_accounts(by_id, joining, mailboxes, groups)
    return groups, joining


def _decided_groups(
    by_id: Mapping[int, IdentifierNode],
    links: Sequence[IdentifierLink],
    decisions: Iterable[ManualDecision],
    continued: Iterable[IdentifierLink],
) -> DisjointGroups:
    """Return the groups that people and aliases joined, and the periods that did not end."""
    decisions = [
        decision
        for decision in decisions
        if {decision.first, decision.second} <= by_id.keys()
        and not is_across_erasures(by_id, decision.first, decision.second)
    ]
    latest = last_decisions(decisions)
    groups = DisjointGroups(by_id, separated_pairs(links, decisions))
    for border in continued:
        groups.join_by_decision(border.first, border.second)
    for decision in latest.values():
        if decision.kind == DecisionKind.MERGE:
            groups.join_by_decision(decision.first, decision.second)
    for link in links:
        if is_alias(by_id, link) and has_sufficient_evidence(by_id, link):
            groups.join_by_decision(link.first, link.second)
    return groups


def _join_accounts(
    by_id: Mapping[int, IdentifierNode],
    joining: Sequence[IdentifierLink],
    mailboxes: Mapping[int, Set[int]],
    groups: DisjointGroups,
) -> None:
    """Join accounts and mailboxes until no further link can join.

    A refused link can join later, if its number comes into the group by a merge of two numbers.

    joining: the links with mailboxes in the order of `in_order`, then those between accounts
    mailboxes: the mailboxes that each account was ever stated with
    """
    has_joined = True
    while has_joined:
        has_joined = False
        for link in joining:
            is_address = families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX}
            if groups.same(link.first, link.second):
                continue
            if is_address or _may_be_one(by_id, link, mailboxes, groups):
                has_joined |= groups.try_join(link.first, link.second)


def _joins_mailbox(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    return (
        has_sufficient_evidence(by_id, link)
        and families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX}
        # An account that was replaced after a proof keeps the past of its mailbox.
        and (link.is_proved or link.is_current)
    )


def _joins_accounts(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    is_equal = link.kind == LinkKind.EQUAL
    return (
        (is_equal or link.kind == LinkKind.TOGETHER)
        # A source may have moved to another space since the link was stored.
        and (not is_equal or by_id[link.first].space_id == by_id[link.second].space_id)
        and has_sufficient_evidence(by_id, link)
        and are_own_numbers(by_id, link)
    )


def _may_be_one(
    by_id: Mapping[int, IdentifierNode],
    link: IdentifierLink,
    mailboxes: Mapping[int, Set[int]],
    groups: DisjointGroups,
) -> bool:
    """Tell whether two accounts share a mailbox, or share numbers and have no two mailboxes."""
    if not mailboxes[link.first].isdisjoint(mailboxes[link.second]):
        return True
    have_mailboxes = groups.has_mailbox(link.first) and groups.has_mailbox(link.second)
    return share_numbers(by_id, link) and not have_mailboxes


def _named_mailboxes(
    by_id: Mapping[int, IdentifierNode],
    links: Iterable[IdentifierLink],
    firsts: Mapping[int, int],
) -> defaultdict[int, set[int]]:
    """Return the mailboxes that each account has ever been stated with, by their first periods."""
    mailboxes: defaultdict[int, set[int]] = defaultdict(set)
    for link in links:
        if families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX} and has_sufficient_evidence(
            by_id, link
        ):
            is_first = by_id[link.first].family is Family.ACCOUNT
            account, mailbox = (link.first, link.second) if is_first else (link.second, link.first)
            mailboxes[account].add(firsts.get(mailbox, mailbox))
    return mailboxes
