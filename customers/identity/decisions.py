"""Stores and undoes the decisions of people about which identifiers are one customer."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from customers import sql
from customers.db import retry
from customers.identity import order_moves
from customers.identity.families import ORDER
from customers.identity.graph import read_decisions, read_locked
from customers.identity.links import DecisionKind, Pair, last_decisions, pair_of
from customers.identity.merging import RegroupedRecords, regroup
from customers.models import Identifier, ManualDecision
from customers.types import BUTLER_SOURCE_ID


class NotFiled(LookupError):
    """Events are filed on no identifier of one of the records, or both are the same record."""


class DecisionAlreadyUndone(Exception):
    """A person has already undone the decision."""


def merge_records(
    first: UUID, second: UUID, *, actor: str, now: datetime, reason: str = ""
) -> list[ManualDecision]:
    """Merge two records by a decision of a person; return the stored decisions. Raises NotFiled.

    The decision also replaces separations between identifiers of the two records.
    """

    def store() -> list[ManualDecision]:
        """Make one attempt."""
        pair = _primary_pair(first, second)
        pairs = [pair, *(other for other in _separations(pair) if other != pair)]
        return _store(DecisionKind.MERGE, pairs, actor=actor, reason=reason, now=now)

    return retry.on_conflict(store)


def separate_records(
    first: UUID, second: UUID, *, actor: str, now: datetime, reason: str = ""
) -> list[ManualDecision]:
    """Separate two records by a decision of a person; return the stored decisions.

    Later statements of sources do not merge them again. Raises NotFiled.
    """

    def store() -> list[ManualDecision]:
        """Make one attempt."""
        pair = _primary_pair(first, second)
        return _store(DecisionKind.SEPARATE, [pair], actor=actor, reason=reason, now=now)

    return retry.on_conflict(store)


def decide(
    kind: str, first_id: int, second_id: int, *, actor: str, now: datetime, reason: str = ""
) -> ManualDecision:
    """Store a decision about two identifiers, which replaces an earlier one, and regroup."""
    pair = pair_of(first_id, second_id)
    decisions = retry.on_conflict(lambda: _store(kind, [pair], actor=actor, reason=reason, now=now))
    return decisions[0]


def undo_decision(*, decision_id: int, actor: str, now: datetime, reason: str = "") -> None:
    """Undo a decision: the records are then as if nobody had made it.

    Raises ManualDecision.DoesNotExist or DecisionAlreadyUndone.
    """

    def undo() -> None:
        """Make one attempt."""
        decision = ManualDecision.objects.get(pk=decision_id)
        ids = [decision.first_id, decision.second_id]
        read_locked(ids)
        undone = ManualDecision.objects.filter(pk=decision_id, undone_at__isnull=True).update(
            undone_at=now, undone_by=actor[:100], undone_reason=reason
        )
        if not undone:
            raise DecisionAlreadyUndone
        regrouped = regroup(ids, now=now, reason="undo", actor=actor, are_decided=True)
        _follow_moves(ids, regrouped, now)

    retry.on_conflict(undo)


def _primary_pair(first: UUID, second: UUID) -> Pair:
    """Return the identifiers that the two records were created for, and lock the records."""
    sql.run("lock_records", {"ids": sorted((first, second))})
    identifiers = dict(sql.rows("read_primary_identifiers", {"ids": [first, second]}))
    if identifiers.keys() != {first, second}:
        raise NotFiled(first, second)
    return pair_of(*identifiers.values())


def _separations(pair: Pair) -> list[Pair]:
    """Return the pairs that people separated, between the two records of this pair."""
    record_of = {row.id: row.customer_id for row in read_locked(pair).rows}
    records = {record_of[id_] for id_ in pair}
    decisions = last_decisions(read_decisions(sorted(record_of)))
    return [
        decision.pair
        for decision in decisions.values()
        if decision.kind == DecisionKind.SEPARATE
        # The graph also contains records that people merged and separated again.
        and {record_of.get(id_) for id_ in decision.pair} == records
    ]


def _store(
    kind: str, pairs: Iterable[Pair], *, actor: str, reason: str, now: datetime
) -> list[ManualDecision]:
    pairs = list(pairs)
    ids = sorted({end for pair in pairs for end in pair})
    read_locked(ids)
    decisions = ManualDecision.objects.bulk_create(
        ManualDecision(
            kind=kind,
            first_id=first,
            second_id=second,
            actor=actor[:100],
            reason=reason,
            decided_at=now,
        )
        for first, second in pairs
    )
    if kind == DecisionKind.SEPARATE:
        params = {"ids": ids, "source_id": BUTLER_SOURCE_ID, "now": now}
        ids += [id_ for (id_,) in sql.rows("begin_periods", params)]
    regrouped = regroup(ids, now=now, reason="staff", actor=actor, are_decided=True)
    _follow_moves(ids, regrouped, now)
    return decisions


def _follow_moves(ids: Iterable[int], regrouped: RegroupedRecords, now: datetime) -> None:
    """Move the events of the orders among these identifiers, and of regrouped ones, with the orders."""
    order_ids = Identifier.objects.filter(pk__in=ids, kind=ORDER).values_list("pk", flat=True)
    order_moves.refile_moved_orders({*order_ids, *regrouped.moving_orders}, now=now)
