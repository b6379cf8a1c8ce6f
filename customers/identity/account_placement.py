"""Places accounts and mailboxes: groups those that a change touches, and chooses their records.

The rules are in `customers.identity.grouping`. This module reads only the identifiers that joining
links connect with the touched ones. It reads links that the rules refused only if a group got
smaller or people decided something, because only then can a refused link join.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity import addresses, link_rules
from customers.identity.addresses import AddressProof, AddressStatement
from customers.identity.attaching_links import read_attaching_links
from customers.identity.disjoint_groups import DisjointGroups
from customers.identity.families import JOINING_FAMILIES, Family
from customers.identity.graph import (
    Component,
    GraphRow,
    StoredLink,
    Targets,
    choose_targets,
    read_locked,
)
from customers.identity.grouping import join_records
from customers.identity.links import (
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
)
from customers.identity.periods import continued_periods
from customers.identity.separations import first_pair, first_periods, separated_since
from customers.types import BUTLER_SOURCE_ID, OPENED, STATED

# The number of refused links that are read of one identifier, those that the grouping takes first.
_REFUSED_LIMIT = 20


class PlacedAccounts(NamedTuple):
    """The identifiers that a change touches, in groups, and the live record of each."""

    component: Component
    groups: Sequence[frozenset[int]]
    targets: Targets
    # The links whose state changes, with the new state.
    states: Mapping[int, str]
    # The accounts that turn out to be placeholders.
    new_placeholders: frozenset[int]


def place_accounts(
    ids: Set[int],
    *,
    locked: Set[UUID],
    limit: int,
    stated: Sequence[AddressStatement],
    are_decided: bool,
) -> PlacedAccounts:
    """Read and lock the components of these identifiers, and group accounts and mailboxes.

    stated: the statements about addresses in the batch that is being stored
    are_decided: people decided about these identifiers, or a source moved to another space
    """
    ids, touched = set(ids), frozenset(ids)
    expanded: set[int] = set()
    while True:
        placed = _place(read_locked(ids, locked, limit), touched, stated)
        locked = placed.component.locked
        to_expand = _to_expand(placed, touched, are_decided=are_decided) - expanded
        refused = _read_refused(to_expand) - placed.targets.keys()
        if not refused:
            return placed
        expanded |= to_expand
        ids |= refused


def _place(
    component: Component, touched: Set[int], stated: Sequence[AddressStatement]
) -> PlacedAccounts:
    """Group the accounts and mailboxes of a component, and choose the record of each group."""
    rows = {row.id: row for row in component.rows}
    new_placeholders = _new_placeholders(component)
    placeholders = new_placeholders | {row.id for row in component.rows if row.is_placeholder}
    # Unproved links of a placeholder do nothing. Its events move away, and with them the addresses
    # that replaced others.
    replaced = _replaced(component, touched, stated) - {
        link.id for link in component.links if {link.first, link.second} & placeholders
    }
    links = links_for_grouping(component.links, component.decisions, replaced)
    nodes = {
        row.id: row.node._replace(is_placeholder=row.id in placeholders) for row in component.rows
    }
    continued = _continued_periods(component, nodes, links)
    groups, joining = join_records(nodes, links, component.decisions, continued=continued)
    states = _states(component, joining, groups, replaced)
    sets = groups.as_sets()
    targets = _targets(rows, sets)
    return PlacedAccounts(component, sets, targets, states, new_placeholders)


def links_for_grouping(
    links: Sequence[StoredLink], decisions: Sequence[ManualDecision], replaced: Set[int]
) -> list[IdentifierLink]:
    """Return links as the grouping reads them: a proof that is pending counts as a statement."""
    separated = _separated_link_ids(links, decisions)
    grouped = []
    for link in links:
        is_pending = link.id in replaced and link.evidence >= OPENED and link.id not in separated
        read = link.link(is_current=link.id not in replaced)
        grouped.append(read._replace(evidence=STATED) if is_pending else read)
    return grouped


def _targets(rows: Mapping[int, GraphRow], groups: Sequence[Set[int]]) -> Targets:
    """Choose the live record of each identifier.

    An account or a mailbox takes no record from a card or a number: only `place_attached` reads all
    links of these, so they may be attached to another record.
    """
    joining = {id_ for id_, row in rows.items() if _is_joining(row) and not row.is_noted}
    return choose_targets(rows, groups) | choose_targets(
        rows, (group & joining for group in groups)
    )


def _continued_periods(
    component: Component, nodes: Mapping[int, IdentifierNode], links: Sequence[IdentifierLink]
) -> list[IdentifierLink]:
    """Return the links between periods of an address that are one, for the component.

    Accounts whose link with the address is contested may be outside the component.
    """
    borders = [link for link in component.links if link.kind == LinkKind.PERIOD]
    if not borders:
        return []
    read = {link.id for link in component.links}
    further_links = [
        further
        for further in read_attaching_links({end for border in borders for end in border[1:3]})
        if further.link.id not in read
    ]
    nodes = {**{further.other.id: further.other for further in further_links}, **nodes}
    stored = [further.link for further in further_links]
    replaced = {link.id for link in stored if link.state == "replaced"}
    others = links_for_grouping([*borders, *stored], component.decisions, replaced)[len(borders) :]
    return continued_periods(nodes, [*links, *others], component.decisions)


def _to_expand(placed: PlacedAccounts, touched: Set[int], *, are_decided: bool) -> set[int]:
    """Return the identifiers whose refused links have to be read.

    These links may join now, or tell with which mailbox an account was stated."""
    partners = _partners(placed.component, touched)
    got_smaller = any(
        link.state == "joined" and link.id in placed.states for link in placed.component.links
    )
    expand_all = are_decided or got_smaller or placed.new_placeholders
    return {
        row.id
        for row in placed.component.rows
        if (_is_joining(row) and expand_all)
        or (row.node.family is Family.ACCOUNT and row.id in touched | partners)
    }


def _read_refused(ids: Set[int]) -> set[int]:
    if not ids:
        return set()
    params = {"ids": sorted(ids), "limit": _REFUSED_LIMIT}
    return {id_ for (id_,) in sql.rows("read_refused", params)}


def _partners(component: Component, touched: Set[int]) -> set[int]:
    """Return the accounts that a link connects with touched accounts."""
    families = {row.id: row.node.family for row in component.rows}
    return {
        end
        for link in component.links
        if families[link.first] is families[link.second] is Family.ACCOUNT
        if link.first in touched or link.second in touched
        for end in (link.first, link.second)
    }


def _is_joining(row: GraphRow) -> bool:
    return row.node.family in JOINING_FAMILIES


def _states(
    component: Component,
    joining: Sequence[IdentifierLink],
    groups: DisjointGroups,
    replaced: Set[int],
) -> dict[int, str]:
    """Return the new states of links between accounts and mailboxes, as far as they change."""
    could_join = {(link.pair, link.kind, link.evidence, link.source_id) for link in joining}
    joinable_ids = {row.id for row in component.rows if _is_joining(row) and not row.is_noted}
    states = {}
    for link in component.links:
        if link.kind == LinkKind.PERIOD:
            continue
        key = (link.first, link.second), link.kind, link.evidence, link.source_id
        if link.id in replaced and key not in could_join:
            state = "replaced"
        elif link.kind == LinkKind.ALIAS or key in could_join:
            state = "joined" if groups.same(link.first, link.second) else "contested"
        else:
            # The link of a placeholder. Cards, phones and devices are placed later.
            state = "filed" if {link.first, link.second} <= joinable_ids else link.state
        if state != link.state:
            states[link.id] = state
    return states


def _mailbox_links(component: Component) -> list[tuple[int, int, StoredLink]]:
    """Return (account, mailbox, link) for each statement that a mailbox belongs to an account.

    The mailbox is named by its first period.
    """
    rows = {row.id: row for row in component.rows}
    firsts = _first_periods(component)
    ends = []
    for link in component.links:
        families = rows[link.first].node.family, rows[link.second].node.family
        is_address = set(families) == {Family.ACCOUNT, Family.MAILBOX}
        is_across = rows[link.first].erasure_id != rows[link.second].erasure_id
        if link.kind == LinkKind.TOGETHER and is_address and not is_across:
            is_first = families[0] is Family.ACCOUNT
            account, mailbox = (link.first, link.second) if is_first else (link.second, link.first)
            ends.append((account, firsts.get(mailbox, mailbox), link))
    return ends


def _first_periods(component: Component) -> dict[int, int]:
    return first_periods(link.link(is_current=True) for link in component.links)


def accounts_with_new_mailbox(regrouped: PlacedAccounts) -> set[int]:
    """Return the accounts whose links with mailboxes begin to act."""
    return {
        account
        for account, _, link in _mailbox_links(regrouped.component)
        if link.state == "filed" and link.id in regrouped.states
    }


def _new_placeholders(component: Component) -> frozenset[int]:
    """Return the accounts that turn out to be placeholders by these links."""
    times: defaultdict[int, dict[int, StoredLink]] = defaultdict(dict)
    for account, mailbox, link in _mailbox_links(component):
        if link.evidence == STATED:
            earlier = times[account].get(mailbox, link)
            times[account][mailbox] = min(earlier, link, key=lambda link: link.occurred_at)
    earlier_placeholders = {row.id for row in component.rows if row.is_placeholder}
    return frozenset(
        account
        for account, by_mailbox in times.items()
        if account not in earlier_placeholders
        and addresses.is_placeholder(
            {mailbox: link.occurred_at for mailbox, link in by_mailbox.items()}
        )
    )


def _replaced(
    component: Component, touched: Set[int], stated: Sequence[AddressStatement]
) -> set[int]:
    """Return the links whose mailbox is not the current address of its account.

    Links of accounts that the change does not touch keep their state.
    """
    links = _mailbox_links(component)
    customers = _account_customers(component)
    numbers = {customers.get(id_) for id_ in touched} - {None}
    touched |= {account for account, customer in customers.items() if customer in numbers}
    replaced = {
        link.id for account, _, link in links if link.state == "replaced" and account not in touched
    }
    proofs = _address_proofs(component)
    proved = addresses.effective_proofs(
        (proof for id_, proof in proofs.items() if id_ not in replaced), customers
    )
    replaced |= {
        id_
        for id_, proof in proofs.items()
        if proof.account in touched
        and (customers.get(proof.account, proof.account), proof.mailbox) not in proved
    }
    by_source: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    first_stated: dict[tuple[int, int, int], datetime] = {}
    for account, mailbox, link in links:
        by_source[account, link.source_id].add(mailbox)
        address = account, mailbox, link.source_id
        first_stated[address] = min(link.occurred_at, first_stated.get(address, link.occurred_at))
    competing = {account for (account, _), mailboxes in by_source.items() if len(mailboxes) > 1}
    competing &= touched
    # The latest statement decides between addresses of one source, so they need the log.
    statements = _latest_statements(competing)
    firsts = _first_periods(component)
    statements += [statement for statement in stated if statement.account in competing]
    statements = [
        statement._replace(mailbox=firsts.get(statement.mailbox, statement.mailbox))
        for statement in statements
    ]
    statements += [
        AddressStatement(account, mailbox, link.source_id, link.occurred_at, link.arrival)
        for account, mailbox, link in links
        if account in touched - competing
    ]
    old = addresses.replaced_addresses(statements, proved, first_stated, customers)
    return replaced | {
        link.id for account, mailbox, link in links if (account, mailbox, link.source_id) in old
    }


def _account_customers(component: Component) -> dict[int, int]:
    """Return, by account, the lowest id of the accounts that are the same person for their sources.

    An owner named these accounts in one event or as an alias. Equal numbers of a space count if both
    were named with one mailbox.
    """
    nodes = {row.id: row.node for row in component.rows}
    separated = _separated_link_ids(component.links, component.decisions)
    mailboxes: defaultdict[int, set[int]] = defaultdict(set)
    for account, mailbox, _ in _mailbox_links(component):
        mailboxes[account].add(mailbox)
    customers: dict[int, int] = {}
    for stored in component.links:
        link = stored.link(is_current=True)
        is_same = link.kind in (LinkKind.TOGETHER, LinkKind.ALIAS) or (
            link.kind == LinkKind.EQUAL
            and nodes[link.first].space_id == nodes[link.second].space_id
            and not mailboxes[link.first].isdisjoint(mailboxes[link.second])
        )
        is_stated = link.evidence >= STATED and link_rules.are_own_numbers(nodes, link)
        if is_same and is_stated and stored.id not in separated:
            ends = [customers.get(end, end) for end in link.pair]
            joined = {account for account, customer in customers.items() if customer in ends}
            customers |= dict.fromkeys(joined | {*link.pair}, min(ends))
    return customers


def _address_proofs(component: Component) -> dict[int, AddressProof]:
    """Return the proofs of addresses by the id of their link, without those that people separated."""
    separated = _separated_link_ids(component.links, component.decisions)
    return {
        link.id: AddressProof(
            account,
            mailbox,
            link.occurred_at,
            link.arrival,
            is_by_customer=link.source_id == BUTLER_SOURCE_ID,
        )
        for account, mailbox, link in _mailbox_links(component)
        if link.evidence >= OPENED and link.id not in separated
    }


def _separated_link_ids(
    links: Sequence[StoredLink], decisions: Sequence[ManualDecision]
) -> set[int]:
    """Return the ids of the links whose ends a person separated, in any period of the address."""
    current = {link.id: link.link(is_current=True) for link in links}
    firsts = first_periods(current.values())
    separated = separated_since(list(current.values()), decisions).keys()
    return {id_ for id_, link in current.items() if first_pair(link.pair, firsts) in separated}


def _latest_statements(accounts: Set[int]) -> list[AddressStatement]:
    """Return the latest statements about the addresses of these accounts, from the log."""
    rows = sql.rows("read_latest_addresses", {"ids": sorted(accounts)}) if accounts else []
    return [AddressStatement(*row) for row in rows]
