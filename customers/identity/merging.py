"""Draws the groups anew where identifiers met for the first time, or a person said so.

The judgement is `customers.identity.grouping.group`; this module reads the graph, locks what it
touches, moves the pointers, keeps the merge ledger, and has the records projected again.
Nothing is copied and nothing is lost: parting two records moves the pointers back.
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
from customers.identity.grouping import (
    ORDER,
    Atom,
    Grouping,
    Held,
    Naming,
    Owner,
    Tie,
    group,
    order_number,
    order_owner,
)
from customers.projections import registry
from customers.types import VERIFIED, WEAK_KINDS

# What a person says is worth any effort.
_ANY_NUMBER = 2**31 - 2
# An order number that was stated with more identifiers than this is in doubt, unread.
_MOST_NAMINGS = 1_000


class _Row(NamedTuple):
    """One identifier as it stands, and where the record it files under points."""

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
    def atom(self) -> Atom:
        return Atom(self.id, self.kind, self.value, self.evidence)


class Heap(Exception):
    """More hangs together than is drawn anew for one event; `oldest` is a record in it."""

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
    held: Set[UUID] = frozenset(),
    most: int = _ANY_NUMBER,
) -> set[UUID]:
    """Draw the groups around these identifiers; return the records that this concerned.

    held: what the caller has locked, to lock it together with the rest the next time
    most: raise Heap, before anything is locked or changed, where more hangs together
    """
    rows, ties, drawn, targets = _draw(set(ids), held, most)
    moves = _moves(rows, targets)
    concerned = _repoint(rows, drawn, targets, moves)
    # A record opened just now has nothing to join: its first event is still to come.
    if moves := [move for move in moves if not move.is_first]:
        _keep_ledger(moves, rows, ties, now=now, reason=reason, actor=actor)
        affected = {record for move in moves for record in (move.before, move.after)}
        log.append_merge_events(
            [(move.record_id, move.before, move.after) for move in moves],
            reason=reason,
            actor=actor,
            now=now,
        )
        registry.rebuild(affected)
        ledger.rebuild_states(affected)
    _ask_about(drawn.held, rows, targets)
    return concerned


def _draw(
    ids: set[int], held: Set[UUID], most: int
) -> tuple[list[_Row], list[Tie], Grouping, dict[int, UUID | None]]:
    """Read and lock what these identifiers concern, and say to which record each belongs."""
    while True:
        rows, ties, locked = _read_locked(sorted(ids), held, most)
        drawn = group([row.atom for row in rows], ties, {row.id for row in rows if row.is_shared})
        targets = _targets(rows, drawn)
        orders, joined = _orders_beside(rows, targets)
        # What a person joined to others is judged together with them.
        ids |= joined
        held = locked
        if not joined and not _lock_all(orders, locked):
            break
    in_doubt = _place_orders([*rows, *orders], drawn, targets)
    drawn = replace(drawn, shared=drawn.shared | in_doubt)
    return [*rows, *orders], ties, drawn, targets


def _orders_beside(
    rows: Sequence[_Row], targets: Mapping[int, UUID | None]
) -> tuple[list[_Row], set[int]]:
    """Return the orders to judge anew beside the ones in `rows`, and which a person joined.

    They are the orders of those who come to belong elsewhere, and all with the same numbers.
    """
    # A record that was opened just now is written to its identifier already.
    moved = [
        row.id
        for row in rows
        if row.kind != ORDER
        and (row.customer_id != targets[row.id] or (row.record_id and not row.version))
    ]
    known = [row.id for row in rows if row.kind == ORDER]
    found = sql.rows("read_orders", {"ids": moved, "known": known}) if moved else []
    orders = [row for row in rows if row.kind == ORDER] + [_Row(*row) for *row, _ in found]
    if numbers := sorted({order_number(row.value) for row in orders if row.evidence == VERIFIED}):
        known = [row.id for row in orders]
        found += sql.rows("read_numbers", {"numbers": numbers, "known": known})
    return [_Row(*row) for *row, _ in found], {row[0] for row in found if row[-1]}


def _place_orders(
    rows: Sequence[_Row], drawn: Grouping, targets: dict[int, UUID | None]
) -> set[int]:
    """Write the record of each order into `targets`; return the orders in doubt.

    Orders that a person joined to somebody stay there.
    """
    orders = {row.id: row for row in rows if row.kind == ORDER}
    grouped = {member for members in drawn.groups for member in members}
    units = [members for members in drawn.groups if members <= orders.keys()]
    units += [frozenset({id_}) for id_ in orders if id_ not in grouped]
    _lock_orders(list(orders.values()))
    namings = _read_namings(orders.keys(), targets)
    free = {id_ for unit in units for id_ in unit}
    joined = {id_: (targets[id_], False) for id_ in orders.keys() - free}
    placed = _placed(orders, namings, joined)
    in_doubt: set[int] = set()
    for unit in units:
        others = [
            other
            for number in sorted({_number(orders[id_]) for id_ in unit})
            for id_, other in placed[number].items()
            if id_ not in unit
        ]
        owner, is_doubtful = order_owner((n for id_ in unit for n in namings[id_]), others)
        if is_doubtful or any(len(namings[id_]) > _MOST_NAMINGS for id_ in unit):
            owner = None
            in_doubt |= unit
        filed = min((record for id_ in unit if (record := orders[id_].record_id)), default=None)
        targets |= dict.fromkeys(unit, owner or filed)
    return in_doubt


def _placed(
    orders: Mapping[int, _Row],
    namings: Mapping[int, Sequence[Naming]],
    joined: Mapping[int, Owner],
) -> defaultdict[str, dict[int, Owner]]:
    """Return the orders that somebody placed and where they belong, by number."""
    placed: defaultdict[str, dict[int, Owner]] = defaultdict(dict)
    for id_, row in orders.items():
        stated = namings.get(id_, ())
        if _number(row) and any(naming.kind == "placed" for naming in stated):
            owner, is_doubtful = joined.get(id_) or order_owner(stated)
            # Placed by somebody without a record, such as a browser, it is on its own.
            own = None if is_doubtful else row.record_id
            placed[_number(row)][id_] = (owner or own, is_doubtful)
    return placed


def _number(order: _Row) -> str:
    """Return the number that other sources may mean; a claimed one says nothing."""
    return order_number(order.value) if order.evidence == VERIFIED else ""


def _lock_orders(orders: Sequence[_Row]) -> None:
    before = {(row.id, row.record_id, row.customer_id) for row in orders}
    if before and set(sql.rows("lock_orders", {"ids": [row.id for row in orders]})) != before:
        raise RetryTransaction


def _read_namings(
    ids: Set[int], targets: Mapping[int, UUID | None]
) -> defaultdict[int, list[Naming]]:
    namings: defaultdict[int, list[Naming]] = defaultdict(list)
    params = {"ids": sorted(ids), "most": _MOST_NAMINGS + 1}
    for order, other, kind, other_kind, customer in sql.rows("read_namings", params) if ids else []:
        owner = targets.get(other, customer)
        namings[order].append(Naming(kind, other_kind in WEAK_KINDS, owner))
    return namings


def join(one: UUID, other: UUID, *, actor: str, now: datetime) -> None:
    """Join two records because a person says that they are one customer."""
    _say("joined", one, other, actor=actor, now=now)


def part(one: UUID, other: UUID, *, actor: str, now: datetime) -> None:
    """Part two records because a person says so. They stay apart whatever is seen later."""
    _say("parted", one, other, actor=actor, now=now)


def _say(kind: str, one: UUID, other: UUID, *, actor: str, now: datetime) -> None:
    """Write down what a person said of two records; the last word counts."""

    def say() -> None:
        sql.run("lock_records", {"ids": sorted((one, other))})
        filed = dict(sql.rows("read_filed", {"ids": [one, other]}))
        if filed.keys() != {one, other}:
            raise NotFiled(one, other)
        left, right = sorted(filed.values())
        _read_locked([left, right])
        said = {"left": left, "right": right, "kind": kind, "actor": actor}
        sql.run("say_link", said | {"source_id": log.BUTLER_SOURCE_ID})
        shared = sql.rows("unshare_neighbors", {"ids": [left, right]})
        touched = {left, right, *(id_ for (id_,) in shared)}
        regroup(touched, now=now, reason="staff", actor=actor)

    retry.on_conflict(say)


class NotFiled(LookupError):
    """No identifier files under one of these records, or they are the same one."""


def _read_locked(
    ids: Sequence[int], held: Set[UUID] = frozenset(), most: int = _ANY_NUMBER
) -> tuple[list[_Row], list[Tie], set[UUID]]:
    """Read the graph until everything in it is locked, so that it holds still."""
    locked = set(held)
    while True:
        rows = [_Row(*row) for row in sql.rows("read_graph", {"ids": ids, "most": most + 1})]
        if len(rows) > most:
            raise Heap(min((row.customer_id for row in rows if row.customer_id), default=None))
        if not _lock_all(rows, locked):
            break
    ties = sql.rows("read_links", {"ids": [row.id for row in rows]})
    return rows, [Tie(left, right, evidence, kind) for left, right, evidence, kind in ties], locked


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
    _seize(records - locked, records | locked)
    locked |= records
    return True


def _seize(missing: Set[UUID], wanted: Set[UUID]) -> None:
    if len(sql.rows("seize_records", {"ids": sorted(missing)})) < len(missing):
        raise RetryTransaction("somebody holds a record", wanted)


def _targets(rows: Sequence[_Row], drawn: Grouping) -> dict[int, UUID | None]:
    """Choose each group's live record: the one of its strongest identifier, then the oldest."""
    by_id = {row.id: row for row in rows}
    targets: dict[int, UUID | None] = {}
    for members in drawn.groups:
        filed = [by_id[member] for member in members if by_id[member].record_id]
        best = min(filed, key=lambda row: (row.atom.order[0], row.record_id), default=None)
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
    drawn: Grouping,
    targets: Mapping[int, UUID | None],
    moves: Sequence[_Move],
) -> set[UUID]:
    changed = [
        {"id": row.id, "customer_id": targets[row.id], "is_shared": row.id in drawn.shared}
        for row in rows
        if (row.customer_id, row.is_shared) != (targets[row.id], row.id in drawn.shared)
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
        sql.run("repoint_records", {"records": sql.json(canonical), "touched": list(concerned)})
    return concerned


def _keep_ledger(
    moves: Sequence[_Move],
    rows: Sequence[_Row],
    ties: Sequence[Tie],
    *,
    now: datetime,
    reason: str,
    actor: str,
) -> None:
    filed = {row.record_id: row for row in rows if row.record_id}
    merges = []
    for move in moves:
        own = filed[move.record_id]
        evidence = [
            {"left": tie.left, "right": tie.right, "trust": tie.evidence, "kind": tie.kind}
            for tie in ties
            if own.id in (tie.left, tie.right)
        ]
        is_order = own.kind == ORDER and own.evidence == VERIFIED
        proven = is_order or any(link["trust"] == VERIFIED for link in evidence)
        merges.append(
            {
                "record_id": move.record_id,
                "merged_into_id": None if move.after == move.record_id else move.after,
                "previous_id": None if move.before == move.record_id else move.before,
                "reason": reason or ("proof" if proven else "claim"),
                "links": evidence,
            }
        )
    sql.run("keep_merges", {"moves": sql.json(merges), "actor": actor, "now": now})


def _ask_about(
    held: Sequence[Held], rows: Sequence[_Row], targets: Mapping[int, UUID | None]
) -> None:
    """Put what the limits held apart before a person, once per pair."""
    questions = []
    for one in held:
        left, right = targets[one.tie.left], targets[one.tie.right]
        # Claims are cheap to make, and nobody could say more of them than we know.
        if left and right and left != right and one.tie.evidence == VERIFIED:
            kind = "suggested_merge" if one.reason == "limit:user_id" else "identifier_limit"
            left, right = sorted((left, right))
            evidence = {"left": one.tie.left, "right": one.tie.right, "reason": one.reason}
            questions.append({"kind": kind, "first": left, "second": right, "details": evidence})
    _ask(questions)


def ask_about_heap(oldest: UUID, evidence: int) -> None:
    """Tell a person that more hangs together there than we draw, once."""
    details = {"reason": "heap", "trust": evidence}
    _ask([{"kind": "identifier_limit", "first": oldest, "second": None, "details": details}])


def _ask(questions: Sequence[Mapping[str, object]]) -> None:
    if questions:
        sql.run("ask_for_review", {"questions": sql.json(questions)})
