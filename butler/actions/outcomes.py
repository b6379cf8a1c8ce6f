"""Writes down what came of handing messages over: attempt, message, budgets and log at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import uniform
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import transaction

from butler import sql
from butler.actions import delivery_reports
from butler.due import notify
from butler.failpoints import failpoint
from customers.db.retry import RetryTransaction, on_conflict
from customers.events import log
from customers.events.log import InternalEvent
from customers.sql import json

ATTEMPTS = 6
# How long we wait for a receipt before a message that may have left is sent again, where its
# class allows that.
RECONCILE = timedelta(minutes=10)
# Of what may have left, these are sent once more: hearing twice is better than not at all.
RESENT = frozenset({"service", "answer", "service_critical", "legal_duty"})
_LONGEST_PAUSE = 3600.0


class Outcome(NamedTuple):
    """What came of one attempt, and what has to be known of its message to go on."""

    delivery_id: UUID
    message_id: UUID
    # One of accepted, rejected, transient, uncertain and returned.
    result: str
    message_class: str
    number: int
    is_idempotent: bool
    # Nothing has to be carried anywhere: what is accepted has arrived.
    is_local: bool = False
    provider_id: str = ""
    code: str = ""
    detail: str = ""
    retry_after: float | None = None
    suppress: str = ""
    latency_ms: int | None = None


class _Row(msgspec.Struct, frozen=True):
    """One outcome as write_outcomes.sql takes it."""

    delivery: UUID
    outcome: str
    provider_id: str
    code: str
    detail: str
    latency_ms: int | None
    state: str
    reason: str
    not_before: datetime | None
    is_refunded: bool


_EVENTS = {
    "accepted": "Message Sent",
    "uncertain": "Message Uncertain",
    "rejected": "Message Failed",
}


def record(outcomes: Sequence[Outcome], *, now: datetime) -> int:
    """Settle these attempts; return how many were settled. Those that already are stay.

    Raises django.db.OperationalError where the database is away: the leases then run out, and
    the attempts end as uncertain.
    """
    if not outcomes:
        return 0
    return on_conflict(lambda: _record(outcomes, now))


def _record(outcomes: Sequence[Outcome], now: datetime) -> int:
    held = _hold([one.delivery_id for one in outcomes])
    rows = [_row(one, now) for one in outcomes]
    settled = sql.rows("write_outcomes", {"outcomes": json(rows), "now": now})
    _say(settled, held, now)
    delivery_reports.apply_waiting([delivery for delivery, *_ in settled], now=now)
    _suppress(outcomes, {delivery for delivery, *_ in settled}, now)
    failpoint("in outcome")
    if any(row.state == "queued" for row in rows):
        notify.after_commit("channels.sweep")
    return len(settled)


def _hold(deliveries: Iterable[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """Hold the customers concerned; return whose live record each is now, and its version."""
    held = sql.rows("hold_for_outcomes", {"deliveries": list(deliveries)})
    if any(was_joined for *_, was_joined in held):
        # The log is another one's by now, and its version is not the one that was read.
        raise RetryTransaction
    return {record: (live, version) for record, live, version, _ in held}


def _row(one: Outcome, now: datetime) -> _Row:
    state, reason, pause = next_state(one)
    return _Row(
        delivery=one.delivery_id,
        outcome=one.result,
        provider_id=one.provider_id,
        code=one.code,
        detail=one.detail[:500],
        latency_ms=one.latency_ms,
        state=state,
        reason=reason,
        not_before=None if pause is None else now + timedelta(seconds=pause),
        is_refunded=one.result in ("rejected", "transient", "returned"),
    )


def next_state(one: Outcome) -> tuple[str, str, float | None]:
    """Return the state of the message, why, and in how many seconds it may be looked at again."""
    if one.result == "accepted":
        return ("delivered" if one.is_local else "accepted"), "", None
    if one.result == "returned":
        return "queued", "", None
    if one.result == "transient":
        if one.number >= ATTEMPTS:
            return "failed", one.code or "gave_up", None
        return "queued", one.code, _pause(one)
    if one.result == "uncertain":
        if one.is_idempotent and one.number < ATTEMPTS:
            return "queued", "uncertain", _pause(one)
        again = one.message_class in RESENT and one.number < 2
        return "uncertain", "uncertain", RECONCILE.total_seconds() if again else None
    return "rejected", one.code or "rejected", None


def _pause(one: Outcome) -> float:
    """Return seconds until the next attempt: each time longer, never all at once."""
    backoff = min(_LONGEST_PAUSE, 5.0 * 4 ** (one.number - 1))
    return max(one.retry_after or 0.0, backoff * uniform(0.75, 1.25))


def _say(
    settled: Sequence[tuple[UUID, UUID, UUID, str, str]],
    held: Mapping[UUID, tuple[UUID, int]],
    now: datetime,
) -> None:
    """Put on the customers' logs what left, what may have, and what could not."""
    sayings = [
        InternalEvent(
            held[customer][0],
            "message",
            _EVENTS[outcome],
            {"message": str(message), "channel": channel},
            now,
            about=f"message:{message}",
        )
        for _, message, customer, channel, outcome in settled
        if outcome in _EVENTS and customer in held
    ]
    if sayings:
        log.append_internal_events(
            sayings, actor="", now=now, customer_versions=dict(held.values())
        )


def _suppress(outcomes: Sequence[Outcome], settled: set[UUID], now: datetime) -> None:
    """Note the addresses that a provider says nothing is to go to any more."""
    said = [
        {"message": one.message_id, "reason": one.suppress, "evidence": str(one.delivery_id)}
        for one in outcomes
        if one.suppress and one.delivery_id in settled
    ]
    if said:
        sql.run("suppress_addresses", {"said": json(said), "now": now})


def sweep(*, now: datetime, most: int = 500) -> int:
    """Settle attempts whose sender fell silent, and send again what may be; return how many.

    Whoever held a lease that ran out may have handed the message over, or not: it is
    uncertain, never simply tried again.
    """
    silent = [
        Outcome(delivery, message, "uncertain", message_class, number, False, code="lease_over")
        for delivery, message, message_class, number in sql.rows("find_silent", {"most": most})
    ]
    settled = record(silent, now=now)
    delivery_reports.sweep(now=now)
    with transaction.atomic():
        again = sql.run("resend_uncertain", {"now": now, "classes": sorted(RESENT)}).rowcount
    return settled + again
