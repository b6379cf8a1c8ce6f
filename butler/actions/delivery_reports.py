"""Takes in what providers report of messages: once each, in whatever order they come."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from butler import sql
from butler.messages import delivery_reports
from butler.messages.delivery_reports import DeliveryReport, MessageStatus
from butler.models import DeliveryReceipt, Message
from customers.actions import consent, notes
from customers.actions.changes import Author
from customers.actions.consent import ConsentStatement
from customers.db import retry
from customers.events import internal_sources
from customers.models import Control
from customers.sql import json

_YOUNG = timedelta(days=1)
_EVENTS = {
    "bounced": "Message Bounced",
    "complained": "Message Complained",
    "failed": "Message Failed",
    "rejected": "Message Failed",
    "stopped": "Message Failed",
}


class _Told(DeliveryReport, frozen=True):
    """A report as it was kept."""

    id: int = 0
    is_new: bool = False


class _Message(NamedTuple):
    """A message, and all that was ever reported of it."""

    id: UUID
    channel: str
    before: MessageStatus
    told: Sequence[_Told]

    @property
    def new(self) -> list[_Told]:
        return [one for one in self.told if one.is_new]


def report(*, provider: str, channel: str, reports: Sequence[DeliveryReport], now: datetime) -> int:
    """Take in reports; return how many messages they were about. Saying it again is harmless.

    Kept first and applied then: what is about something that we do not know of yet waits for it.
    """
    heard = _of_channel(
        channel, [one for one in reports if one.kind in delivery_reports.STATE_BY_KIND]
    )
    rows = [_row(provider, one, now) for one in heard]
    DeliveryReceipt.objects.bulk_create(rows, ignore_conflicts=True)
    kept = DeliveryReceipt.objects.filter(
        provider=provider, event_id__in=[row.event_id for row in rows], applied_at=None
    )
    ids = list(kept.values_list("pk", flat=True))
    return retry.on_conflict(lambda: _apply(ids, now)) if ids else 0


def apply_waiting(deliveries: Iterable[UUID], *, now: datetime) -> int:
    """Apply what was reported of these attempts before their outcome was written down.

    Inside the transaction that writes the outcomes, which holds the customers.
    """
    ids = [id_ for (id_,) in sql.rows("find_waiting_receipts", {"deliveries": list(deliveries)})]
    return _apply(ids, now) if ids else 0


def sweep(*, now: datetime, most: int = 500) -> int:
    """Apply reports that still wait although what they are about is known by now.

    One that names it as the provider does can come in the very moment in which the outcome is
    written; what is still about nothing of ours after a day is somebody else's.
    """
    young = now - _YOUNG
    waiting = DeliveryReceipt.objects.filter(applied_at=None, received_at__gt=young).order_by("-pk")
    ids = list(waiting.values_list("pk", flat=True)[:most])
    return retry.on_conflict(lambda: _apply(ids, now)) if ids else 0


def _of_channel(channel: str, reports: Sequence[DeliveryReport]) -> list[DeliveryReport]:
    """Leave out what names a message of another way: no letter that comes back was an SMS.

    Anybody can write to where letters come back to, and would shut a number with one.
    """
    named = [one.message_id for one in reports if one.message_id]
    others = Message.objects.filter(pk__in=named).exclude(channel=channel)
    foreign = {str(id_) for id_ in others.values_list("pk", flat=True)} if named else set()
    return [one for one in reports if one.message_id not in foreign]


def _row(provider: str, one: DeliveryReport, now: datetime) -> DeliveryReceipt:
    return DeliveryReceipt(
        provider=provider,
        event_id=one.event_id[:200],
        provider_id=one.provider_id[:200],
        message_id=UUID(one.message_id) if one.message_id else None,
        kind=one.kind,
        detail=one.detail[:200],
        occurred_at=one.occurred_at,
        received_at=now,
    )


def _apply(ids: Sequence[int], now: datetime) -> int:
    homes = dict(sql.rows("hold_reported", {"receipts": list(ids)}))
    if not homes:
        return 0
    sql.run("place_receipts", {"receipts": list(ids), "messages": list(homes)})
    # Read once they are held: what was in somebody's hand a moment ago may be settled now.
    messages = [_message(row) for row in sql.rows("read_reported", {"messages": list(homes)})]
    moved = [_move(one) for one in messages]
    applied = [told.id for one in messages for told in one.new]
    if applied:
        sql.run("write_reported", {"moved": json(moved), "receipts": applied, "now": now})
        _suppress(messages, now)
        _say(messages, homes, now)
    return len(messages)


def _message(row: tuple[UUID, str, str, str, str]) -> _Message:
    id_, channel, state, reason, told = row
    return _Message(
        id_,
        channel,
        MessageStatus(state, reason),
        msgspec.json.decode(told, type=tuple[_Told, ...]),
    )


def _move(one: _Message) -> Mapping[str, object]:
    after = delivery_reports.status_after(one.before, one.told)
    named = [told.provider_id for told in one.told if told.provider_id]
    return {
        "message": one.id,
        "state": after.state,
        "reason": after.reason,
        "at": after.at,
        "has_left": any(told.kind in delivery_reports.PROVE_ACCEPTED for told in one.told),
        "provider_id": min(named, default=""),
    }


def _suppress(messages: Sequence[_Message], now: datetime) -> None:
    said = [
        {
            "message": one.id,
            "reason": delivery_reports.SUPPRESSION_REASONS[told.kind],
            "evidence": f"receipt:{told.id}",
        }
        for one in messages
        for told in one.new
        if told.kind in delivery_reports.SUPPRESSION_REASONS
    ]
    if said:
        sql.run("suppress_addresses", {"said": json(said), "now": now})


def _say(messages: Sequence[_Message], homes: Mapping[UUID, UUID], now: datetime) -> None:
    """Put what went wrong on the customers' logs, once a kind; a complaint is an objection."""
    for one in messages:
        known = {told.kind for told in one.told if not told.is_new}
        for kind in sorted({told.kind for told in one.new} - known):
            if kind in _EVENTS:
                _note(one, homes[one.id], kind, now)
            if kind == "complained":
                _object(one, homes[one.id], now)


def _note(one: _Message, customer_id: UUID, kind: str, now: datetime) -> None:
    codes = sorted({told.detail for told in one.new if told.kind == kind and told.detail})
    notes.note(
        customer_id=customer_id,
        name=_EVENTS[kind],
        about=f"message:{one.id}",
        properties={"message": str(one.id), "channel": one.channel, "code": "".join(codes[:1])},
        actor="",
        now=now,
        kind="message",
    )


def _object(one: _Message, customer_id: UUID, now: datetime) -> None:
    """Whoever calls it unwanted does not want the next one either."""
    stands = Control.objects.filter(customer=customer_id, objected__contains=["marketing"])
    if stands.exists():
        return
    word = ConsentStatement(
        kind="objection.made",
        subject="marketing",
        evidence={"kind": "complaint", "message": str(one.id)},
    )
    consent.record_statements(
        customer_id=customer_id, statements=[word], author=Author(internal_sources.BUTLER), now=now
    )
