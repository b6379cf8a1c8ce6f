"""Regroups identifiers when new links appear or staff merge or separate records.

`customers.identity.grouping.group` decides which identifiers are one customer. This module reads
the graph, locks the rows to change, moves the pointers, stores the merges and their events, and
rebuilds the projections of the affected records. It copies and deletes no events: separating two
records moves the pointers back.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from customers import sql
from customers.consent import ledger
from customers.db import retry
from customers.events import log
from customers.identity import reviews
from customers.identity.graph import NO_LIMIT, GraphRow, Targets, lock_all, read_locked
from customers.identity.grouping import (
    MERGED,
    ORDER,
    SEPARATED,
    Grouping,
    IdentifierLink,
    group,
)
from customers.identity.order_placement import find_orders_to_place, place_orders
from customers.projections import registry
from customers.types import VERIFIED


@dataclass(frozen=True, slots=True)
class _Move:
    """A record whose canonical record changes from `before` to `after`."""

    record_id: UUID
    before: UUID
    after: UUID
    is_first: bool

    def other_record(self, record_id: UUID) -> UUID | None:
        """Return this id as the canonical record; None if it is the moved record itself."""
        return None if record_id == self.record_id else record_id


def regroup(
    ids: Iterable[int],
    *,
    now: datetime,
    reason: str = "",
    actor: str = "",
    locked: Set[UUID] = frozenset(),
    limit: int = NO_LIMIT,
) -> set[UUID]:
    """Regroup the components of these identifiers; return the affected records.

    locked: records that the caller has locked; a retry locks them together with the others
    limit: raises ComponentTooLarge, before any change, if a component has more identifiers
    """
    rows, links, grouping, targets = _group_locked(set(ids), locked, limit)
    moves = _moves(rows, targets)
    _repoint_identifiers(rows, grouping, targets)
    concerned = _repoint_records(rows, targets, moves)
    _record_merges(moves, rows, links, now=now, reason=reason, actor=actor)
    reviews.request_for_refused_links(grouping.refused_links, targets)
    return concerned


def _group_locked(
    ids: set[int], locked: Set[UUID], limit: int
) -> tuple[list[GraphRow], list[IdentifierLink], Grouping, Targets]:
    """Read and lock the components of these identifiers, and choose the record of each."""
    while True:
        rows, links, now_locked = read_locked(sorted(ids), locked, limit)
        shared = {row.id for row in rows if row.is_shared}
        grouping = group([row.node for row in rows], links, shared)
        targets = _targets(rows, grouping)
        orders, merged_ids = find_orders_to_place(rows, targets)
        # Staff merged these orders with other identifiers, so they belong into the component.
        ids |= merged_ids
        locked = now_locked
        if not merged_ids and not lock_all(orders, now_locked):
            break
    in_doubt = place_orders([*rows, *orders], grouping, targets)
    grouping = replace(grouping, shared=grouping.shared | in_doubt)
    return [*rows, *orders], links, grouping, targets


def merge(first: UUID, second: UUID, *, actor: str, now: datetime) -> None:
    """Merge two records by a decision of staff. Raises NotFiled."""
    _decide(MERGED, first, second, actor=actor, now=now)


def separate(first: UUID, second: UUID, *, actor: str, now: datetime) -> None:
    """Separate two records by a decision of staff. Later links do not merge them again.

    Raises NotFiled.
    """
    _decide(SEPARATED, first, second, actor=actor, now=now)


def _decide(kind: str, first: UUID, second: UUID, *, actor: str, now: datetime) -> None:
    """Store a decision of staff about two records, which replaces an earlier one, and regroup."""

    def store() -> None:
        sql.run("lock_records", {"ids": sorted((first, second))})
        identifiers = dict(sql.rows("read_primary_identifiers", {"ids": [first, second]}))
        if identifiers.keys() != {first, second}:
            raise NotFiled(first, second)
        first_id, second_id = sorted(identifiers.values())
        read_locked([first_id, second_id])
        link = {"first": first_id, "second": second_id, "kind": kind, "actor": actor}
        sql.run("upsert_staff_link", link | {"source_id": log.BUTLER_SOURCE_ID})
        unshared = sql.rows("unshare_neighbors", {"ids": [first_id, second_id]})
        ids = {first_id, second_id, *(id_ for (id_,) in unshared)}
        regroup(ids, now=now, reason="staff", actor=actor)

    retry.on_conflict(store)


class NotFiled(LookupError):
    """One of these records has no identifier that files under it, or both are the same record."""


def _targets(rows: Sequence[GraphRow], grouping: Grouping) -> Targets:
    """Choose the live record of each group: of the strongest kind of identifier the oldest record.

    returns: the live record of each identifier; None if no member of the group has a record
    """
    by_id = {row.id: row for row in rows}
    targets: Targets = {}
    for members in grouping.groups:
        filed = [by_id[member] for member in members if by_id[member].record_id]
        best = min(filed, key=lambda row: (row.node.sort_key[0], row.record_id), default=None)
        for member in members:
            targets[member] = best.record_id if best else None
    return targets


def _moves(rows: Sequence[GraphRow], targets: Mapping[int, UUID | None]) -> list[_Move]:
    moves = []
    for row in rows:
        target = targets[row.id]
        if row.record_id and target and target != (before := row.canonical_id or row.record_id):
            is_first = not row.version and before == row.record_id
            moves.append(_Move(row.record_id, before, target, is_first))
    return moves


def _repoint_identifiers(
    rows: Sequence[GraphRow], grouping: Grouping, targets: Mapping[int, UUID | None]
) -> None:
    """Store the live record and the flag "shared" of each identifier for which one changed."""
    changed = [
        {"id": row.id, "customer_id": targets[row.id], "is_shared": row.id in grouping.shared}
        for row in rows
        if (row.customer_id, row.is_shared) != (targets[row.id], row.id in grouping.shared)
    ]
    if changed:
        sql.run("repoint_identifiers", {"identifiers": sql.json(changed)})


def _repoint_records(
    rows: Sequence[GraphRow], targets: Mapping[int, UUID | None], moves: Sequence[_Move]
) -> set[UUID]:
    """Store the canonical records of moved records; return the records with moved identifiers."""
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
            {"id": move.record_id, "canonical_id": move.other_record(move.after)} for move in moves
        ]
        sql.run("repoint_records", {"records": sql.json(canonical), "concerned": list(concerned)})
    return concerned


def _record_merges(
    moves: Iterable[_Move],
    rows: Sequence[GraphRow],
    links: Sequence[IdentifierLink],
    *,
    now: datetime,
    reason: str,
    actor: str,
) -> None:
    """Store the merges, append their events, and rebuild both records of each merge."""
    # A record that was created in this transaction has no events yet, so it makes no merge.
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
    moves: Iterable[_Move], rows: Sequence[GraphRow], links: Sequence[IdentifierLink], reason: str
) -> list[dict[str, object]]:
    filed = {row.record_id: row for row in rows if row.record_id}
    merges: list[dict[str, object]] = []
    for move in moves:
        own = filed[move.record_id]
        own_links = [link for link in links if own.id in link.ends]
        is_order = own.kind == ORDER and own.evidence == VERIFIED
        is_proved = is_order or any(link.evidence == VERIFIED for link in own_links)
        merges.append(
            {
                "record_id": move.record_id,
                "merged_into_id": move.other_record(move.after),
                "previous_id": move.other_record(move.before),
                "reason": reason or ("proof" if is_proved else "claim"),
                "links": [_shown(link) for link in own_links],
            }
        )
    return merges


def _shown(link: IdentifierLink) -> dict[str, object]:
    """Return a link in the form in which the API shows it as evidence of a merge."""
    return {
        "left": link.first,
        "right": link.second,
        "trust": link.evidence,
        "kind": link.kind,
    }
