"""Draws the groups anew where identifiers met for the first time, or a person decided.

Which identifiers are one customer is up to `customers.identity.grouping.group`; this module
reads the graph, locks what it changes, moves the pointers, writes the ledger of merges, and has
the records projected again. Nothing is copied and nothing is lost: separating two records moves
the pointers back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.consent import ledger
from customers.db import retry
from customers.db.retry import RetryTransaction
from customers.events import log
from customers.identity import reviews
from customers.identity.grouping import (
    MERGED,
    ORDER,
    PLACED,
    SEPARATED,
    Grouping,
    IdentifierLink,
    IdentifierNode,
    OrderMention,
    OrderOwner,
    group,
    order_number,
    order_owner,
)
from customers.projections import registry
from customers.types import VERIFIED, WEAK_KINDS

# Where a person decides, components have any size.
_NO_LIMIT = 2**31 - 2
# An order number that was stated with more identifiers than this is in doubt, unread.
_MAX_MENTIONS = 1_000


class _Row(NamedTuple):
    """One identifier as it is stored, and where the record it files under points."""

    id: int
    kind: str
    value: str
    evidence: int
    record_id: UUID | None
    customer_id: UUID | None
    is_shared: bool
    canonical_id: UUID | None
    version: int

    @property
    def node(self) -> IdentifierNode:
        return IdentifierNode(self.id, self.kind, self.value, self.evidence)


# The live record that each identifier belongs to.
type _Targets = dict[int, UUID | None]


class ComponentTooLarge(Exception):
    """More identifiers hang together than are regrouped for one event.

    `oldest` is the oldest record among them.
    """

    def __init__(self, oldest: UUID | None) -> None:
        super().__init__(oldest)
        self.oldest = oldest


@dataclass(frozen=True, slots=True)
class _Move:
    """A record that comes to belong to another one, or to itself again."""

    record_id: UUID
    before: UUID
    after: UUID
    is_first: bool


def regroup(
    ids: Iterable[int],
    *,
    now: datetime,
    reason: str = "",
    actor: str = "",
    locked: Set[UUID] = frozenset(),
    limit: int = _NO_LIMIT,
) -> set[UUID]:
    """Draw the groups around these identifiers; return the records that this concerned.

    locked: records that the caller has locked, to lock them with the rest in the next attempt
    limit: raise ComponentTooLarge, before anything is locked or changed, where more identifiers
    hang together
    """
    rows, links, grouping, targets = _group_locked(set(ids), locked, limit)
    moves = _moves(rows, targets)
    concerned = _repoint(rows, grouping, targets, moves)
    # A record opened just now has nothing to merge: its first event is still to come.
    if moves := [move for move in moves if not move.is_first]:
        _write_merges(moves, rows, links, now=now, reason=reason, actor=actor)
        affected = {record for move in moves for record in (move.before, move.after)}
        log.append_merge_events(
            [(move.record_id, move.before, move.after) for move in moves],
            reason=reason,
            actor=actor,
            now=now,
        )
        registry.rebuild(affected)
        ledger.rebuild_states(affected)
    reviews.request_for_refused_links(grouping.refused_links, targets)
    return concerned


def _group_locked(
    ids: set[int], locked: Set[UUID], limit: int
) -> tuple[list[_Row], list[IdentifierLink], Grouping, _Targets]:
    """Read and lock what these identifiers concern, and choose the record of each."""
    while True:
        rows, links, now_locked = _read_locked(sorted(ids), locked, limit)
        shared = {row.id for row in rows if row.is_shared}
        grouping = group([row.node for row in rows], links, shared)
        targets = _targets(rows, grouping)
        orders, merged_ids = _orders_beside(rows, targets)
        # What a person merged with others is grouped together with them.
        ids |= merged_ids
        locked = now_locked
        if not merged_ids and not _lock_all(orders, now_locked):
            break
    in_doubt = _place_orders([*rows, *orders], grouping, targets)
    grouping = replace(grouping, shared=grouping.shared | in_doubt)
    return [*rows, *orders], links, grouping, targets


def _orders_beside(
    rows: Sequence[_Row], targets: Mapping[int, UUID | None]
) -> tuple[list[_Row], set[int]]:
    """Return the orders to place anew beside those in `rows`, and which of them a person merged.

    They are the orders of those who come to belong elsewhere, and all with the same numbers.
    """
    # A record that was opened just now is written to its identifier already.
    moved = [
        row.id
        for row in rows
        if row.kind != ORDER
        and (row.customer_id != targets[row.id] or (row.record_id and not row.version))
    ]
    excluded = [row.id for row in rows if row.kind == ORDER]
    beside = sql.rows("read_linked_orders", {"ids": moved, "excluded": excluded}) if moved else []
    orders = [row for row in rows if row.kind == ORDER] + [_Row(*row) for *row, _ in beside]
    if numbers := sorted({order_number(row.value) for row in orders if row.evidence == VERIFIED}):
        params = {"numbers": numbers, "excluded": [row.id for row in orders]}
        beside += sql.rows("read_orders_by_number", params)
    return [_Row(*row) for *row, _ in beside], {row[0] for row in beside if row[-1]}


def _place_orders(rows: Sequence[_Row], grouping: Grouping, targets: _Targets) -> set[int]:
    """Write the record of each order into `targets`; return the orders in doubt.

    Orders that a person merged with somebody stay there.
    """
    orders = {row.id: row for row in rows if row.kind == ORDER}
    grouped = {member for members in grouping.groups for member in members}
    units = [members for members in grouping.groups if members <= orders.keys()]
    units += [frozenset({id_}) for id_ in orders if id_ not in grouped]
    _lock_orders(list(orders.values()))
    mentions = _read_mentions(orders.keys(), targets)
    alone = {id_ for unit in units for id_ in unit}
    merged = {id_: (targets[id_], False) for id_ in orders.keys() - alone}
    placed = _placed(orders, mentions, merged)
    in_doubt: set[int] = set()
    for unit in units:
        others = [
            other
            for number in sorted({_number(orders[id_]) for id_ in unit})
            for id_, other in placed[number].items()
            if id_ not in unit
        ]
        owner, is_doubtful = order_owner((m for id_ in unit for m in mentions[id_]), others)
        if is_doubtful or any(len(mentions[id_]) > _MAX_MENTIONS for id_ in unit):
            owner = None
            in_doubt |= unit
        filed = min((record for id_ in unit if (record := orders[id_].record_id)), default=None)
        targets |= dict.fromkeys(unit, owner or filed)
    return in_doubt


def _placed(
    orders: Mapping[int, _Row],
    mentions: Mapping[int, Sequence[OrderMention]],
    merged: Mapping[int, OrderOwner],
) -> defaultdict[str, dict[int, OrderOwner]]:
    """Return the orders that somebody placed and where they belong, by number."""
    placed: defaultdict[str, dict[int, OrderOwner]] = defaultdict(dict)
    for id_, row in orders.items():
        own_mentions = mentions.get(id_, ())
        if _number(row) and any(mention.kind == PLACED for mention in own_mentions):
            owner, is_doubtful = merged.get(id_) or order_owner(own_mentions)
            # Placed by somebody without a record, such as a browser, it is on its own.
            own = None if is_doubtful else row.record_id
            placed[_number(row)][id_] = (owner or own, is_doubtful)
    return placed


def _number(order: _Row) -> str:
    """Return the number that other sources may mean; a claimed one says nothing."""
    return order_number(order.value) if order.evidence == VERIFIED else ""


def _lock_orders(orders: Sequence[_Row]) -> None:
    before = {(row.id, row.record_id, row.customer_id) for row in orders}
    params = {"ids": [row.id for row in orders]}
    if before and set(sql.rows("lock_order_identifiers", params)) != before:
        raise RetryTransaction


def _read_mentions(
    ids: Set[int], targets: Mapping[int, UUID | None]
) -> defaultdict[int, list[OrderMention]]:
    mentions: defaultdict[int, list[OrderMention]] = defaultdict(list)
    params = {"ids": sorted(ids), "limit": _MAX_MENTIONS + 1}
    rows = sql.rows("read_order_mentions", params) if ids else []
    for order, other, kind, other_kind, customer in rows:
        owner = targets.get(other, customer)
        mentions[order].append(OrderMention(kind, other_kind in WEAK_KINDS, owner))
    return mentions


def merge(first: UUID, second: UUID, *, actor: str, now: datetime) -> None:
    """Merge two records because a person says that they are one customer."""
    _decide(MERGED, first, second, actor=actor, now=now)


def separate(first: UUID, second: UUID, *, actor: str, now: datetime) -> None:
    """Separate two records because a person says so. They stay apart whatever is seen later."""
    _decide(SEPARATED, first, second, actor=actor, now=now)


def _decide(kind: str, first: UUID, second: UUID, *, actor: str, now: datetime) -> None:
    """Store what a person decided of two records, which the last decision is, and regroup."""

    def store() -> None:
        sql.run("lock_records", {"ids": sorted((first, second))})
        identifiers = dict(sql.rows("read_filing_identifiers", {"ids": [first, second]}))
        if identifiers.keys() != {first, second}:
            raise NotFiled(first, second)
        first_id, second_id = sorted(identifiers.values())
        _read_locked([first_id, second_id])
        link = {"first": first_id, "second": second_id, "kind": kind, "actor": actor}
        sql.run("upsert_staff_link", link | {"source_id": log.BUTLER_SOURCE_ID})
        unshared = sql.rows("unshare_neighbors", {"ids": [first_id, second_id]})
        ids = {first_id, second_id, *(id_ for (id_,) in unshared)}
        regroup(ids, now=now, reason="staff", actor=actor)

    retry.on_conflict(store)


class NotFiled(LookupError):
    """No identifier files under one of these records, or they are the same one."""


def _read_locked(
    ids: Sequence[int], locked: Set[UUID] = frozenset(), limit: int = _NO_LIMIT
) -> tuple[list[_Row], list[IdentifierLink], set[UUID]]:
    """Read the graph until everything in it is locked, so that it cannot change any more."""
    locked = set(locked)
    while True:
        params = {"ids": ids, "limit": limit + 1}
        rows = [_Row(*row) for row in sql.rows("read_graph", params)]
        if len(rows) > limit:
            records = (row.customer_id for row in rows if row.customer_id)
            raise ComponentTooLarge(min(records, default=None))
        if not _lock_all(rows, locked):
            break
    links = sql.rows("read_links", {"ids": [row.id for row in rows]})
    return rows, [IdentifierLink(*link) for link in links], locked


def _lock_all(rows: Sequence[_Row], locked: set[UUID]) -> bool:
    """Lock the records of these identifiers; return whether some were not locked before."""
    records = {
        record
        for row in rows
        for record in (row.record_id, row.customer_id, row.canonical_id)
        if record
    }
    if not records - locked:
        return False
    _lock_without_waiting(records - locked, records | locked)
    locked |= records
    return True


def _lock_without_waiting(missing: Set[UUID], all_records: Set[UUID]) -> None:
    if len(sql.rows("lock_available_records", {"ids": sorted(missing)})) < len(missing):
        raise RetryTransaction("another transaction holds a record", all_records)


def _targets(rows: Sequence[_Row], grouping: Grouping) -> _Targets:
    """Choose each group's live record: the one of its strongest identifier, then the oldest."""
    by_id = {row.id: row for row in rows}
    targets: _Targets = {}
    for members in grouping.groups:
        filed = [by_id[member] for member in members if by_id[member].record_id]
        best = min(filed, key=lambda row: (row.node.sort_key[0], row.record_id), default=None)
        for member in members:
            targets[member] = best.record_id if best else None
    return targets


def _moves(rows: Sequence[_Row], targets: Mapping[int, UUID | None]) -> list[_Move]:
    moves = []
    for row in rows:
        target = targets[row.id]
        if row.record_id and target and target != (before := row.canonical_id or row.record_id):
            is_first = not row.version and before == row.record_id
            moves.append(_Move(row.record_id, before, target, is_first))
    return moves


def _repoint(
    rows: Sequence[_Row],
    grouping: Grouping,
    targets: Mapping[int, UUID | None],
    moves: Sequence[_Move],
) -> set[UUID]:
    changed = [
        {"id": row.id, "customer_id": targets[row.id], "is_shared": row.id in grouping.shared}
        for row in rows
        if (row.customer_id, row.is_shared) != (targets[row.id], row.id in grouping.shared)
    ]
    if changed:
        sql.run("repoint_identifiers", {"identifiers": sql.json(changed)})
    concerned = {record for move in moves for record in (move.record_id, move.before, move.after)}
    concerned |= {
        record
        for row in rows
        if row.customer_id != targets[row.id]
        for record in (row.customer_id, targets[row.id])
        if record
    }
    if concerned:
        canonical = [
            {
                "id": move.record_id,
                "canonical_id": None if move.after == move.record_id else move.after,
            }
            for move in moves
        ]
        sql.run("repoint_records", {"records": sql.json(canonical), "concerned": list(concerned)})
    return concerned


def _write_merges(
    moves: Sequence[_Move],
    rows: Sequence[_Row],
    links: Sequence[IdentifierLink],
    *,
    now: datetime,
    reason: str,
    actor: str,
) -> None:
    filed = {row.record_id: row for row in rows if row.record_id}
    merges = []
    for move in moves:
        own = filed[move.record_id]
        own_links = [link for link in links if own.id in link.ends]
        is_order = own.kind == ORDER and own.evidence == VERIFIED
        is_proved = is_order or any(link.evidence == VERIFIED for link in own_links)
        merges.append(
            {
                "record_id": move.record_id,
                "merged_into_id": None if move.after == move.record_id else move.after,
                "previous_id": None if move.before == move.record_id else move.before,
                "reason": reason or ("proof" if is_proved else "claim"),
                "links": [_shown(link) for link in own_links],
            }
        )
    sql.run("update_merges", {"moves": sql.json(merges), "actor": actor, "now": now})


def _shown(link: IdentifierLink) -> dict[str, object]:
    """Return a link as the API shows it among the evidence of a merge."""
    return {
        "left": link.first,
        "right": link.second,
        "trust": link.evidence,
        "kind": link.kind,
    }
