"""The messages to a customer, of every channel, with their states."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce, JSONObject

from butler import sql
from butler.models import Message
from customers.models import Merge
from customers.queries.pages import Page, read_page
from customers.types import OpenedRecord

type MessageState = Literal[
    "sending",
    "accepted",
    "delivered",
    "withdrawn",
    "rejected",
    "failed",
    "bounced",
    "complained",
    "uncertain",
]

# Messages that were never sent are not listed; butler.queries.decisions has the reasons.
_NEVER_LEFT = ("queued", "suppressed", "expired")
# The channel in which customers mark messages as read themselves.
INBOX = "inbox"
# The channel with the lowest rank represents a message. A withdrawn one has the highest rank.
_RANK = Case(When(state="withdrawn", then=2), When(channel=INBOX, then=0), default=1)


class OtherChannelShape(msgspec.Struct, frozen=True):
    """The same message through another channel."""

    id: UUID
    channel: str
    state: MessageState
    at: datetime


class MessageShape(msgspec.Struct, frozen=True):
    """One message. The subject and the text of a withdrawn message are empty."""

    id: UUID
    channel: str
    topic: str
    message_class: str
    automation: str
    language: str
    subject: str
    text: str
    state: MessageState
    # The time of the last change of the state.
    state_at: datetime
    created_at: datetime
    handed_over_at: datetime | None
    seen_at: datetime | None
    read_at: datetime | None
    is_unread: bool
    # The same message through other channels, which have no separate entry in the list.
    also: list[OtherChannelShape]


class ResolvedCustomer(msgspec.Struct, frozen=True):
    """A record id resolved to its customer, with the number of unread messages."""

    # The live record, all records of the customer, and the version of the log.
    id: UUID
    ids: tuple[UUID, ...]
    version: int
    unread: int
    # The part of the record that the session of a customer opens; None for the whole record.
    part: OpenedRecord | None = None


def resolve_customer(
    record_id: UUID, *, part: OpenedRecord | None = None
) -> ResolvedCustomer | None:
    """Return the customer of a record, or None if the record does not exist."""
    params = {"id": record_id, "record_ids": _contact_records(part) if part else None}
    for live_id, ids, version, unread in sql.rows("resolve_customer", params):
        return ResolvedCustomer(live_id, tuple(ids), version, unread, part)
    return None


def _contact_records(part: OpenedRecord) -> list[UUID]:
    """Return the records whose inbox a session opens."""
    return sorted(part.record_ids) if part.has_contact else []


def messages(
    ids: Sequence[UUID], *, cursor: str | None, limit: int, part: OpenedRecord | None
) -> Page[MessageShape]:
    """Return the messages to the customer with these records, newest first.

    part: the part of the record that a session opens; None for the whole record. A message through several channels has one entry: the inbox message, or else the message that
    was created first.
    """
    by = {"created_at": datetime, "id": UUID}
    better = _same_step(ids, part).filter(
        Q(rank__lt=OuterRef("rank"))
        | Q(rank=OuterRef("rank"), created_at__lt=OuterRef("created_at"))
        | Q(rank=OuterRef("rank"), created_at=OuterRef("created_at"), pk__lt=OuterRef("pk"))
    )
    rows = _with_other_channels(ids, part).exclude(Exists(better))
    return read_page(rows, order_by=by, to_shape=_shape, cursor=cursor, limit=limit)


def message(
    ids: Sequence[UUID], message_id: UUID, *, part: OpenedRecord | None
) -> MessageShape | None:
    """Return a sent message of the customer with these records, or of the opened part, or None."""
    row = _with_other_channels(ids, part).filter(pk=message_id).first()
    return _shape(row) if row else None


def _with_other_channels(ids: Sequence[UUID], part: OpenedRecord | None) -> QuerySet[Message]:
    """Return messages with their other channels."""
    others = _same_step(ids, part).exclude(pk=OuterRef("pk")).order_by("created_at", "pk")
    other = JSONObject(
        id="pk", channel="channel", state="state", at=Coalesce("handed_over_at", "created_at")
    )
    rows = sent_messages(ids, part=part)
    return rows.annotate(rank=_RANK, also=ArraySubquery(others.values(shape=other)))


def _same_step(ids: Sequence[UUID], part: OpenedRecord | None) -> QuerySet[Message]:
    """Return the messages of the same step and run; none for a message without a run."""
    same = sent_messages(ids, part=part).annotate(rank=_RANK)
    return same.filter(run_id=OuterRef("run_id"), step=OuterRef("step"))


def subjects(
    ids: Sequence[UUID], messages: Collection[str], *, part: OpenedRecord | None
) -> dict[str, str]:
    """Return the subjects of these messages, without withdrawn ones."""
    rows = sent_messages(ids, part=part).filter(pk__in=messages).exclude(state="withdrawn")
    return {str(key): subject for key, subject in rows.values_list("pk", "subject")}


def sent_messages(ids: Sequence[UUID], *, part: OpenedRecord | None) -> QuerySet[Message]:
    """Return the messages that were sent, or may have been sent, to a customer.

    part: the part of the record that a session opens; None for the whole record
    """
    withdrawn_in_time = Q(state="withdrawn", handed_over_at__isnull=True)
    rows = opened_messages(part) if part else Message.objects.all()
    rows = rows.filter(customer_id__in=ids).exclude(state__in=_NEVER_LEFT)
    return rows.exclude(withdrawn_in_time).defer("facts", "address")


def opened_messages(part: OpenedRecord) -> QuerySet[Message]:
    """Return the messages of a part of a record: those to its addresses.

    With the contact of the record, they include the messages without an address, such as those in the
    inbox: of the opened records, and of the record into which one of these was merged, since then.
    """
    opened = Q(address__in=part.addresses, address__gt="")
    if part.has_closed_past:
        later = Q(address__in=part.later_addresses, address__gt="")
        opened |= later & Q(created_at__gte=part.opened_since)
    if part.has_contact:
        opened |= Q(address="") & of_opened_records(part, at="created_at")
    return Message.objects.filter(opened)


def of_opened_records(part: OpenedRecord, *, at: str) -> Q:
    """Return the condition for rows of the opened records, or of the whole record since their merge.

    at: the field with the time of the row
    """
    merges = Merge.objects.filter(
        merged_into=OuterRef("customer_id"),
        record__in=part.record_ids,
        undone_at=None,
        merged_at__lte=OuterRef(at),
    )
    return Q(customer_id__in=part.record_ids) | Q(Exists(merges))


def _shape(row: Message) -> MessageShape:
    is_withdrawn = row.state == "withdrawn"
    is_accepted = row.state in ("accepted", "delivered")
    return MessageShape(
        id=row.pk,
        channel=row.channel,
        topic=row.topic,
        message_class=row.message_class,
        automation=row.automation_id,
        language=row.language,
        subject="" if is_withdrawn else row.subject,
        text="" if is_withdrawn else row.text,
        state=row.state,  # type: ignore[arg-type]  # one of Message.State, less those above
        state_at=row.state_at,
        created_at=row.created_at,
        handed_over_at=row.handed_over_at,
        seen_at=row.seen_at,
        read_at=row.read_at,
        is_unread=row.channel == INBOX and is_accepted and row.read_at is None,
        also=msgspec.convert(getattr(row, "also", []), list[OtherChannelShape]),
    )
