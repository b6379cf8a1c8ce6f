"""Regroups identifiers when new links appear or people merge or separate records.

`customers.identity.grouping` decides which identifiers are one customer. This module stores the live
record of each identifier and the canonical record of each record, stores the merges and their
events, and rebuilds the projections of the affected records. It copies and deletes no events.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.consent import ledger
from customers.events import log
from customers.identity.account_placement import accounts_with_new_mailbox, place_accounts
from customers.identity.addresses import AddressStatement
from customers.identity.attached_placement import place_attached
from customers.identity.families import ORDER
from customers.identity.graph import NO_LIMIT, GraphRow, StoredLink, Targets, lock_all
from customers.identity.links import LinkKind
from customers.identity.order_assignment import (
    AssignedOrders,
    ask_about_numbers,
    assign_orders,
    find_orders_to_assign,
)
from customers.identity.order_places import project_orders_with_same_number
from customers.projections import registry
from customers.types import OPENED


@dataclass(frozen=True, slots=True)
class Move:
    """A record whose canonical record changes from `before` to `after`."""

    record_id: UUID
    before: UUID
    after: UUID
    # The record was created in this transaction, so it has no events yet.
    is_first: bool

    def other_record(self, record_id: UUID) -> UUID | None:
        """Return this id as the canonical record; None if it is the moved record itself."""
        return None if record_id == self.record_id else record_id


class RegroupedRecords(NamedTuple):
    """The records that gained or lost identifiers, and what the rules refused."""

    records: Set[UUID]
    # The accounts, cards and numbers that turned out to be placeholders.
    placeholders: frozenset[int]
    # The ids of the links that became contested.
    contested: frozenset[int]
    moves: Sequence[Move] = ()
    # The number of identifiers and links that changed.
    changed: int = 0
    # The orders that an event moves: their events follow them (customers.identity.order_moves).
    moving_orders: frozenset[int] = frozenset()
    # The orders whose number several sources of their space placed.
    orders_of_several_sources: frozenset[int] = frozenset()


class _Placement(NamedTuple):
    """All identifiers that a change touches, with the live record of each."""

    rows: Sequence[GraphRow]
    links: Sequence[StoredLink]
    targets: Targets
    shared: Set[int]
    states: Mapping[int, str]
    placeholders: Set[int]
    orders: AssignedOrders


def regroup(
    ids: Iterable[int],
    *,
    now: datetime,
    reason: str = "",
    actor: str = "",
    locked: Set[UUID] = frozenset(),
    limit: int = NO_LIMIT,
    addresses: Sequence[AddressStatement] = (),
    are_decided: bool = False,
) -> RegroupedRecords:
    """Regroup these identifiers and those that links connect with them; return the changes.

    locked: records that the caller has locked; a retry locks them together with the others
    limit: raises ComponentTooLarge, before any change, if a component has more identifiers
    addresses: the statements about addresses in the batch that is being stored
    are_decided: people decided about these identifiers, or a source moved to another space
    """
    placement = _place(set(ids), locked, limit, addresses, are_decided=are_decided)
    rows, targets = placement.rows, placement.targets
    moves = _moves(rows, targets)
    _update_links(placement.states)
    repointed = _repoint_identifiers(placement)
    affected = _repoint_records(rows, targets, moves)
    ask_about_numbers(rows, placement.orders.in_doubt)
    _record_merges(moves, rows, _acting_links(placement), now=now, reason=reason, actor=actor)
    project_orders_with_same_number(_orders_of_several_customers(placement))
    contested = frozenset(id_ for id_, state in placement.states.items() if state == "contested")
    changed = repointed + len(placement.states)
    return RegroupedRecords(
        affected,
        frozenset(placement.placeholders),
        contested,
        moves,
        changed,
        frozenset(placement.orders.moving),
        frozenset(placement.orders.of_several_sources),
    )


def _place(
    ids: Set[int],
    locked: Set[UUID],
    limit: int,
    addresses: Sequence[AddressStatement],
    *,
    are_decided: bool,
) -> _Placement:
    """Lock what a change touches, and choose the live record of each identifier."""
    ids = set(ids)
    while True:
        regrouped = place_accounts(
            ids, locked=locked, limit=limit, stated=addresses, are_decided=are_decided
        )
        component, targets = regrouped.component, dict(regrouped.targets)
        now_locked = set(component.locked)
        named = accounts_with_new_mailbox(regrouped)
        attached = place_attached(component, targets, now_locked, regrouped.new_placeholders, named)
        orders, merged_ids = find_orders_to_assign(attached.rows, targets)
        # Staff merged these orders with other identifiers, so they belong into the component. Attached
        # identifiers lead to such orders, too.
        merged_ids |= {row.id for row in attached.rows if row.kind == ORDER}
        merged_ids -= {row.id for row in component.rows}
        ids |= merged_ids
        has_locked = lock_all(orders, now_locked)
        locked = frozenset(now_locked)
        if not merged_ids and not has_locked:
            break
    rows = [*attached.rows, *orders]
    assigned_orders = assign_orders(rows, regrouped.groups, targets)
    return _Placement(
        rows,
        list(dict.fromkeys([*component.links, *attached.links])),
        targets,
        attached.shared | assigned_orders.in_doubt,
        {**regrouped.states, **attached.states},
        regrouped.new_placeholders | attached.new_placeholders,
        assigned_orders,
    )


def _orders_of_several_customers(placement: _Placement) -> list[int]:
    """Return the orders that a source placed for several customers, before or after the change."""
    return [
        row.id
        for row in placement.rows
        if row.kind == ORDER and (row.is_shared or row.id in placement.orders.in_doubt)
    ]


def _update_links(states: Mapping[int, str]) -> None:
    if states:
        ids = sorted(states)
        params = {"ids": ids, "states": [states[id_] for id_ in ids]}
        sql.run("update_link_states", params)


def _acting_links(placement: _Placement) -> list[StoredLink]:
    """Return the links that join identifiers or attach one to another, by their new states."""
    return [
        link
        for link in placement.links
        if placement.states.get(link.id, link.state) in ("joined", "attached")
        and link.kind != LinkKind.PERIOD
    ]


def _moves(rows: Sequence[GraphRow], targets: Mapping[int, UUID | None]) -> list[Move]:
    moves = []
    for row in rows:
        target = targets[row.id]
        if row.record_id and target and target != (before := row.canonical_id or row.record_id):
            is_first = not row.version and before == row.record_id
            moves.append(Move(row.record_id, before, target, is_first))
    return moves


def _repoint_identifiers(placement: _Placement) -> int:
    """Store the live record and the flags of each identifier for which one changed.

    Returns their number.
    """
    targets, shared, placeholders = placement.targets, placement.shared, placement.placeholders
    changed = [
        {
            "id": row.id,
            "customer_id": targets[row.id],
            "is_shared": row.id in shared,
            "is_placeholder": row.is_placeholder or row.id in placeholders,
        }
        for row in placement.rows
        if (row.customer_id, row.is_shared) != (targets[row.id], row.id in shared)
        or row.id in placeholders
    ]
    if changed:
        sql.run("repoint_identifiers", {"identifiers": sql.json(changed)})
    return len(changed)


def _repoint_records(
    rows: Sequence[GraphRow], targets: Mapping[int, UUID | None], moves: Sequence[Move]
) -> set[UUID]:
    """Store the canonical records of moved records; return the affected records."""
    affected = {record for move in moves for record in (move.record_id, move.before, move.after)}
    affected |= {
        record
        for row in rows
        if row.customer_id != targets[row.id]
        for record in (row.customer_id, targets[row.id])
        if record
    }
    if affected:
        canonical = [
            {"id": move.record_id, "canonical_id": move.other_record(move.after)} for move in moves
        ]
        sql.run("repoint_records", {"records": sql.json(canonical), "affected": list(affected)})
    return affected


def _record_merges(
    moves: Iterable[Move],
    rows: Sequence[GraphRow],
    links: Sequence[StoredLink],
    *,
    now: datetime,
    reason: str,
    actor: str,
) -> None:
    """Store the merges, append their events, and rebuild both records of each merge."""
    # A record without events makes no merge.
    moves = [move for move in moves if not move.is_first]
    if not moves:
        return
    merges = _merge_rows(moves, rows, links, reason)
    sql.run("update_merges", {"moves": sql.json(merges), "actor": actor, "now": now})
    positions = [(move.record_id, move.before, move.after) for move in moves]
    log.append_merge_events(positions, reason=reason, actor=actor, now=now)
    affected = {record for move in moves for record in (move.before, move.after)}
    registry.rebuild(affected)
    ledger.rebuild_states(affected)


def _merge_rows(
    moves: Iterable[Move], rows: Sequence[GraphRow], links: Sequence[StoredLink], reason: str
) -> list[dict[str, object]]:
    filed = {row.record_id: row for row in rows if row.record_id}
    merges: list[dict[str, object]] = []
    for move in moves:
        own = filed[move.record_id]
        own_links = [link for link in links if own.id in (link.first, link.second)]
        is_proved = any(link.evidence >= OPENED for link in own_links)
        merges.append(
            {
                "record_id": move.record_id,
                "merged_into_id": move.other_record(move.after),
                "previous_id": move.other_record(move.before),
                "reason": reason or ("proof" if is_proved else "statement"),
                "links": [_shown(link) for link in own_links],
            }
        )
    return merges


def _shown(link: StoredLink) -> dict[str, object]:
    """Return a link in the form in which the API shows it as evidence of a merge."""
    return {
        "first": link.first,
        "second": link.second,
        "evidence": link.evidence,
        "kind": link.kind,
    }
