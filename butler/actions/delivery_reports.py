"""Records the delivery reports of providers, each report once, in any order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from butler import sql
from butler.messages import delivery_reports
from butler.messages.delivery_reports import DeliveryReport, MessageStatus
from butler.models import DeliveryReceipt, Message
from customers.actions import consent, internal_events
from customers.actions.changes import ChangeAuthor
from customers.consent.statements import ConsentStatement
from customers.db import retry
from customers.events import internal_sources
from customers.models import ConsentState
from customers.sql import json

_WAITING_AGE = timedelta(days=1)
_EVENTS = {
    "bounced": "Message Bounced",
    "complained": "Message Complained",
    "failed": "Message Failed",
    "rejected": "Message Failed",
    "stopped": "Message Failed",
}


class _StoredReport(DeliveryReport, frozen=True):
    """A report as it is stored."""

    id: int = 0
    is_new: bool = False


class ReportedMessage(NamedTuple):
    """A message with all its reports."""

    id: UUID
    channel: str
    state: MessageStatus
    reports: Sequence[_StoredReport]

    @property
    def new_reports(self) -> list[_StoredReport]:
        """Return the reports that are not applied yet."""
        return [report for report in self.reports if report.is_new]


def store_reports(
    *, provider: str, channel: str, reports: Sequence[DeliveryReport], now: datetime
) -> int:
    """Store reports and apply them; return the number of messages that they name.

    A report that is already stored has no effect. A report about an unknown message stays stored
    and is applied when its delivery is written.
    """
    valid = [report for report in reports if report.kind in delivery_reports.STATE_BY_KIND]
    rows = [_row(provider, report, now) for report in _of_channel(channel, valid)]
    DeliveryReceipt.objects.bulk_create(rows, ignore_conflicts=True)
    unapplied = DeliveryReceipt.objects.filter(
        provider=provider, event_id__in=[row.event_id for row in rows], applied_at=None
    )
    ids = list(unapplied.values_list("pk", flat=True))
    return retry.on_conflict(lambda: _apply(ids, now)) if ids else 0


def apply_reports_of_deliveries(delivery_ids: Iterable[UUID], *, now: datetime) -> int:
    """Apply the reports that arrived before the outcome of their delivery was written.

    Returns the number of messages. The caller writes the outcomes in the same transaction and
    has locked the customers.
    """
    rows = sql.rows("find_waiting_reports", {"deliveries": list(delivery_ids)})
    ids = [id_ for (id_,) in rows]
    return _apply(ids, now) if ids else 0


def apply_waiting_reports(*, now: datetime, limit: int = 500) -> int:
    """Apply waiting reports whose messages are known now; return how many messages changed.

    A report can arrive while the outcome of its delivery is being written. Reports older than a
    day are skipped, because their messages probably belong to another system.
    """
    oldest = now - _WAITING_AGE
    waiting = DeliveryReceipt.objects.filter(applied_at=None, received_at__gt=oldest)
    ids = list(waiting.order_by("-pk").values_list("pk", flat=True)[:limit])
    return retry.on_conflict(lambda: _apply(ids, now)) if ids else 0


def _of_channel(channel: str, reports: Sequence[DeliveryReport]) -> list[DeliveryReport]:
    """Return the reports without those about messages of other channels.

    Anyone can send mail to the bounce address. Without this check, such a mail could suppress a
    telephone number.
    """
    message_ids = [report.message_id for report in reports if report.message_id]
    others = Message.objects.filter(pk__in=message_ids).exclude(channel=channel)
    foreign = {str(id_) for id_ in others.values_list("pk", flat=True)} if message_ids else set()
    return [report for report in reports if report.message_id not in foreign]


def _row(provider: str, report: DeliveryReport, now: datetime) -> DeliveryReceipt:
    return DeliveryReceipt(
        provider=provider,
        event_id=report.event_id[:200],
        provider_id=report.provider_id[:200],
        message_id=UUID(report.message_id) if report.message_id else None,
        kind=report.kind,
        detail=report.detail[:200],
        occurred_at=report.occurred_at,
        received_at=now,
    )


def _apply(ids: Sequence[int], now: datetime) -> int:
    """Apply stored reports to their messages; return the number of these messages."""
    customers = dict(sql.rows("lock_customers_of_reports", {"reports": list(ids)}))
    if not customers:
        return 0
    message_ids = list(customers)
    sql.run("match_reports", {"reports": list(ids), "messages": message_ids})
    # Read after the lock: a delivery in flight may have received its outcome before it.
    rows = sql.rows("read_reported_messages", {"messages": message_ids})
    messages = [_message(row) for row in rows]
    applied = [report.id for message in messages for report in message.new_reports]
    if applied:
        new_states = [_new_state(message) for message in messages]
        params = {"new_states": json(new_states), "reports": applied, "now": now}
        sql.run("apply_reports", params)
        _suppress(messages, now)
        _append_events(messages, customers, now)
    return len(messages)


def _message(row: tuple[UUID, str, str, str, str]) -> ReportedMessage:
    id_, channel, state, reason, reports = row
    return ReportedMessage(
        id_,
        channel,
        MessageStatus(state, reason),
        msgspec.json.decode(reports, type=tuple[_StoredReport, ...]),
    )


def _new_state(message: ReportedMessage) -> Mapping[str, object]:
    """Return the row of apply_reports.sql for one message."""
    after = delivery_reports.status_after(message.state, message.reports)
    provider_ids = [report.provider_id for report in message.reports if report.provider_id]
    return {
        "message_id": message.id,
        "state": after.state,
        "reason": after.reason,
        "at": after.at,
        "is_accepted": any(
            report.kind in delivery_reports.PROVE_ACCEPTED for report in message.reports
        ),
        "provider_id": min(provider_ids, default=""),
    }


def _suppress(messages: Sequence[ReportedMessage], now: datetime) -> None:
    suppressions = [
        {
            "message_id": message.id,
            "reason": delivery_reports.SUPPRESSION_REASONS[report.kind],
            "evidence": f"receipt:{report.id}",
        }
        for message in messages
        for report in message.new_reports
        if report.kind in delivery_reports.SUPPRESSION_REASONS
    ]
    if suppressions:
        params = {"suppressions": json(suppressions), "now": now}
        sql.run("suppress_addresses", params)


def _append_events(
    messages: Sequence[ReportedMessage], customers: Mapping[UUID, UUID], now: datetime
) -> None:
    """Append one event for each kind of failure; record an objection for a complaint."""
    for message in messages:
        old_kinds = {report.kind for report in message.reports if not report.is_new}
        for kind in sorted({report.kind for report in message.new_reports} - old_kinds):
            if kind in _EVENTS:
                _append_event(message, customers[message.id], kind, now)
            if kind == "complained":
                _object(message, customers[message.id], now)


def _append_event(message: ReportedMessage, customer_id: UUID, kind: str, now: datetime) -> None:
    codes = {report.detail for report in message.new_reports if report.kind == kind}
    internal_events.append_internal_event(
        customer_id=customer_id,
        name=_EVENTS[kind],
        about=f"message:{message.id}",
        properties={
            "message": str(message.id),
            "channel": message.channel,
            "code": min(filter(None, codes), default=""),
        },
        actor="",
        now=now,
        kind="message",
    )


def _object(message: ReportedMessage, customer_id: UUID, now: datetime) -> None:
    """Record an objection to marketing for a customer who complained about a message."""
    objecting = ConsentState.objects.filter(customer=customer_id, objected__contains=["marketing"])
    if objecting.exists():
        return
    word = ConsentStatement(
        kind="objection.made",
        subject="marketing",
        evidence={"kind": "complaint", "message": str(message.id)},
    )
    consent.record_statements(
        customer_id=customer_id,
        statements=[word],
        author=ChangeAuthor(internal_sources.BUTLER),
        now=now,
    )
