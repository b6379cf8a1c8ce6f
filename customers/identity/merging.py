"""Draws the groups anew where identifiers met for the first time, or a person decided.

Which identifiers are one customer is up to `customers.identity.grouping.group`; this module
reads the graph, locks what it changes, moves the pointers, writes the ledger of merges, and has
the records projected again. Nothing is copied and nothing is lost: separating two records moves
the pointers back.
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
    """A record that comes to belong to another one, or to itself again."""

    record_id: UUID
    before: UUID
    after: UUID
    is_first: bool

    def other_record(self, record_id: UUID) -> UUID | None:
        """Return a record that this one belongs to; None where it belongs to itself."""
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
    """Draw the groups around these identifiers; return the records that this concerned.

    locked: records that the caller has locked, to lock them with the rest in the next attempt
    limit: raise ComponentTooLarge, before any lock or change, where more hang together
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
    """Read and lock what these identifiers concern, and choose the record of each."""
    while True:
        rows, links, now_locked = read_locked(sorted(ids), locked, limit)
        shared = {row.id for row in rows if row.is_shared}
        grouping = group([row.node for row in rows], links, shared)
        targets = _targets(rows, grouping)
        orders, merged_ids = find_orders_to_place(rows, targets)
        # What a person merged with others is grouped together with them.
        ids |= merged_ids
        locked = now_locked
        if not merged_ids and not lock_all(orders, now_locked):
            break
    in_doubt = place_orders([*rows, *orders], grouping, targets)
    grouping = replace(grouping, shared=grouping.shared | in_doubt)
    return [*rows, *orders], links, grouping, targets


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
    """No identifier files under one of these records, or they are the same one."""


def _targets(rows: Sequence[GraphRow], grouping: Grouping) -> Targets:
    """Choose each group's live record: the one of its strongest identifier, then the oldest."""
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
    """Store the live record of each identifier, and whether it is shared, where that changed."""
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
    """Store where moved records belong; return all records whose identifiers changed hands."""
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
    """Store the merges, append their events, and compute both records of each anew."""
    # A record opened just now has nothing to merge: its first event is still to come.
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
    """Return a link as the API shows it among the evidence of a merge."""
    return {
        "left": link.first,
        "right": link.second,
        "trust": link.evidence,
        "kind": link.kind,
    }
