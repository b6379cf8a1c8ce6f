"""Places accounts and mailboxes: groups those that a change touches, and chooses their records.

The rules are in `customers.identity.grouping`. This module reads only the identifiers that joining
links connect with the touched ones. It reads links that the rules refused only if a group got
smaller or people decided something, because only then can a refused link join.
"""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity.addresses import AddressStatement
from customers.identity.attaching_links import read_attaching_links
from customers.identity.current_addresses import (
    links_for_grouping,
    mailbox_links,
    new_placeholders,
    replaced_links,
    separated_link_ids,
)
from customers.identity.disjoint_groups import DisjointGroups
from customers.identity.families import JOINING_FAMILIES, Family
from customers.identity.graph import (
    Component,
    GraphRow,
    Targets,
    choose_targets,
    read_locked,
)
from customers.identity.grouping import join_records
from customers.identity.links import (
    IdentifierLink,
    IdentifierNode,
    LinkKind,
)
from customers.identity.periods import continued_periods

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
    new_placeholder_ids = new_placeholders(component)
    placeholders = new_placeholder_ids | {row.id for row in component.rows if row.is_placeholder}
    # Unproved links of a placeholder do nothing. Its events move away, and with them the addresses
    # that replaced others.
    separated = separated_link_ids(component.links, component.decisions)
    replaced = replaced_links(component, touched, stated, separated) - {
        link.id for link in component.links if {link.first, link.second} & placeholders
    }
    links = links_for_grouping(component.links, separated, replaced)
    nodes = {
        row.id: row.node._replace(is_placeholder=row.id in placeholders) for row in component.rows
    }
    continued = _continued_periods(component, nodes, links)
    groups, joining = join_records(nodes, links, component.decisions, continued=continued)
    states = _states(component, joining, groups, replaced)
    sets = groups.as_sets()
    targets = _targets(rows, sets)
    return PlacedAccounts(component, sets, targets, states, new_placeholder_ids)


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
    separated = separated_link_ids([*borders, *stored], component.decisions)
    others = links_for_grouping(stored, separated, replaced)
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


def accounts_with_new_mailbox(regrouped: PlacedAccounts) -> set[int]:
    """Return the accounts whose links with mailboxes begin to act."""
    return {
        account
        for account, _, link in mailbox_links(regrouped.component)
        if link.state == "filed" and link.id in regrouped.states
    }
