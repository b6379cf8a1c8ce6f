"""Writes the outcomes of deliveries: delivery, message, budgets and log in one transaction."""

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
# An uncertain message waits this long for a delivery report. Then it is sent again if its class
# permits that.
RECONCILE = timedelta(minutes=10)
# The message classes whose uncertain messages are sent once more.
RESENT_CLASSES = frozenset({"service", "answer", "service_critical", "legal_duty"})
_LONGEST_BACKOFF = 3600.0


class DeliveryOutcome(NamedTuple):
    """The outcome of one delivery, and what decides the next state of its message."""

    delivery_id: UUID
    message_id: UUID
    # One of accepted, rejected, transient, uncertain and returned.
    outcome: str
    message_class: str
    number: int
    is_idempotent: bool
    # The channel is part of Butler (the inbox), so an accepted message is a delivered one.
    is_local: bool = False
    provider_id: str = ""
    code: str = ""
    detail: str = ""
    retry_after: float | None = None
    suppress: str = ""
    latency_ms: int | None = None


class _Row(msgspec.Struct, frozen=True):
    """One outcome as a row of write_outcomes.sql."""

    delivery_id: UUID
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


def write_outcomes(outcomes: Sequence[DeliveryOutcome], *, now: datetime) -> int:
    """Write the outcomes; return how many were written. A delivery with an outcome keeps it.

    Raises django.db.OperationalError if the database is unavailable. The leases then expire, and
    the deliveries become uncertain.
    """
    if not outcomes:
        return 0
    return on_conflict(lambda: _write(outcomes, now))


def _write(outcomes: Sequence[DeliveryOutcome], now: datetime) -> int:
    customers = _lock_customers([outcome.delivery_id for outcome in outcomes])
    rows = [_row(outcome, now) for outcome in outcomes]
    written = sql.rows("write_outcomes", {"outcomes": json(rows), "now": now})
    delivery_ids = {delivery_id for delivery_id, *_ in written}
    _append_events(written, customers, now)
    delivery_reports.apply_reports_of_deliveries(delivery_ids, now=now)
    _suppress(outcomes, delivery_ids, now)
    failpoint("in outcome")
    if any(row.state == "queued" for row in rows):
        notify.after_commit("channels.deliver_all")
    return len(written)


def _lock_customers(delivery_ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """Lock the customers of deliveries; return for each record its live record and version."""
    rows = sql.rows("lock_customers_of_deliveries", {"deliveries": list(delivery_ids)})
    if any(was_merged for *_, was_merged in rows):
        # A merge changed the live record and its version.
        raise RetryTransaction
    return {record: (live, version) for record, live, version, _ in rows}


def _row(outcome: DeliveryOutcome, now: datetime) -> _Row:
    state, reason, delay = next_state(outcome)
    return _Row(
        delivery_id=outcome.delivery_id,
        outcome=outcome.outcome,
        provider_id=outcome.provider_id,
        code=outcome.code,
        detail=outcome.detail[:500],
        latency_ms=outcome.latency_ms,
        state=state,
        reason=reason,
        not_before=None if delay is None else now + timedelta(seconds=delay),
        is_refunded=outcome.outcome in ("rejected", "transient", "returned"),
    )


def next_state(outcome: DeliveryOutcome) -> tuple[str, str, float | None]:
    """Return the state of the message, its reason, and the seconds until the next attempt."""
    if outcome.outcome == "accepted":
        return ("delivered" if outcome.is_local else "accepted"), "", None
    if outcome.outcome == "returned":
        return "queued", "", None
    if outcome.outcome == "transient":
        if outcome.number >= ATTEMPTS:
            return "failed", outcome.code or "gave_up", None
        return "queued", outcome.code, _backoff(outcome)
    if outcome.outcome == "uncertain":
        if outcome.is_idempotent and outcome.number < ATTEMPTS:
            return "queued", "uncertain", _backoff(outcome)
        is_resent = outcome.message_class in RESENT_CLASSES and outcome.number < 2
        return "uncertain", "uncertain", RECONCILE.total_seconds() if is_resent else None
    return "rejected", outcome.code or "rejected", None


def _backoff(outcome: DeliveryOutcome) -> float:
    """Return the seconds until the next attempt, with jitter."""
    backoff = min(_LONGEST_BACKOFF, 5.0 * 4 ** (outcome.number - 1))
    return max(outcome.retry_after or 0.0, backoff * uniform(0.75, 1.25))


def _append_events(
    written: Sequence[tuple[UUID, UUID, UUID, str, str]],
    customers: Mapping[UUID, tuple[UUID, int]],
    now: datetime,
) -> None:
    """Append an event to the customer's log for each outcome that the customer may see."""
    events = [
        _outcome_event(customers[customer][0], message, channel, outcome, now)
        for _, message, customer, channel, outcome in written
        if outcome in _EVENTS and customer in customers
    ]
    if events:
        log.append_internal_events(
            events, actor="", now=now, customer_versions=dict(customers.values())
        )


def _outcome_event(
    customer_id: UUID, message_id: UUID, channel: str, outcome: str, now: datetime
) -> InternalEvent:
    return InternalEvent(
        customer_id,
        "message",
        _EVENTS[outcome],
        {"message": str(message_id), "channel": channel},
        now,
        about=f"message:{message_id}",
    )


def _suppress(outcomes: Sequence[DeliveryOutcome], delivery_ids: set[UUID], now: datetime) -> None:
    """Suppress the addresses that a provider refused permanently."""
    suppressions = [
        {
            "message_id": outcome.message_id,
            "reason": outcome.suppress,
            "evidence": str(outcome.delivery_id),
        }
        for outcome in outcomes
        if outcome.suppress and outcome.delivery_id in delivery_ids
    ]
    if suppressions:
        params = {"suppressions": json(suppressions), "now": now}
        sql.run("suppress_addresses", params)


def expire_leases(*, now: datetime, limit: int = 500) -> int:
    """End deliveries whose lease expired, and requeue uncertain messages; return how many.

    The sender may have handed the message over before its lease expired. So the message becomes
    uncertain instead of queued.
    """
    expired = [
        DeliveryOutcome(
            delivery, message, "uncertain", message_class, number, False, code="lease_over"
        )
        for delivery, message, message_class, number in sql.rows(
            "find_expired_deliveries", {"limit": limit}
        )
    ]
    written = write_outcomes(expired, now=now)
    delivery_reports.apply_waiting_reports(now=now)
    with transaction.atomic():
        requeued = sql.run(
            "requeue_uncertain", {"now": now, "classes": sorted(RESENT_CLASSES)}
        ).rowcount
    return written + requeued
