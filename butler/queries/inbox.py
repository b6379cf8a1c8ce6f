"""Everything we said to a customer, through whatever channel, and what became of it."""

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
from customers.queries.pages import Page, read_page

type State = Literal[
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

# What never left is no message to anybody: why it did not is told by butler.queries.why.
_NEVER_LEFT = ("queued", "suppressed", "expired")
# Here the customer can tell us that it was read; elsewhere others can, if at all.
HERE = "inbox"
# Which of several ways stands for all of them; one that was taken back says nothing any more.
_RANK = Case(When(state="withdrawn", then=2), When(channel=HERE, then=0), default=1)


class AlsoShape(msgspec.Struct, frozen=True):
    """The same words, another way."""

    id: UUID
    channel: str
    state: State
    at: datetime


class MessageShape(msgspec.Struct, frozen=True):
    """One thing that was said; the words of a message that was taken back are not repeated."""

    id: UUID
    channel: str
    topic: str
    message_class: str
    automation: str
    language: str
    subject: str
    text: str
    state: State
    # When it came to that state.
    state_at: datetime
    created_at: datetime
    handed_over_at: datetime | None
    seen_at: datetime | None
    read_at: datetime | None
    is_unread: bool
    # By which other ways the same was said; in a list it has no place of its own there.
    also: list[AlsoShape]


class Doorway(msgspec.Struct, frozen=True):
    """What every page about a customer begins with."""

    # The live record, all records that are this customer, and how far the log is.
    id: UUID
    ids: tuple[UUID, ...]
    version: int
    unread: int


def doorway(record_id: UUID) -> Doorway | None:
    """Return where a record leads to now, and how much is unread there."""
    for live_id, ids, version, unread in sql.rows("read_doorway", {"id": record_id}):
        return Doorway(live_id, tuple(ids), version, unread)
    return None


def messages(ids: Sequence[UUID], *, cursor: str | None, limit: int) -> Page[MessageShape]:
    """Return what was said to the customer whose records these are, newest first.

    What was said more than one way at once is there once: as it is in the inbox, or else as it
    left first.
    """
    by = {"created_at": datetime, "id": UUID}
    better = _same_words(ids).filter(
        Q(rank__lt=OuterRef("rank"))
        | Q(rank=OuterRef("rank"), created_at__lt=OuterRef("created_at"))
        | Q(rank=OuterRef("rank"), created_at=OuterRef("created_at"), pk__lt=OuterRef("pk"))
    )
    rows = _whole(ids).exclude(Exists(better))
    return read_page(rows, order_by=by, to_shape=_shape, cursor=cursor, limit=limit)


def message(ids: Sequence[UUID], message_id: UUID) -> MessageShape | None:
    row = _whole(ids).filter(pk=message_id).first()
    return _shape(row) if row else None


def _whole(ids: Sequence[UUID]) -> QuerySet[Message]:
    """Return messages with the other ways by which the same was said."""
    others = _same_words(ids).exclude(pk=OuterRef("pk")).order_by("created_at", "pk")
    other = JSONObject(
        id="pk", channel="channel", state="state", at=Coalesce("handed_over_at", "created_at")
    )
    return sent_messages(ids).annotate(rank=_RANK, also=ArraySubquery(others.values(shape=other)))


def _same_words(ids: Sequence[UUID]) -> QuerySet[Message]:
    """Return what the same step of the same run said; what no run says has no such others."""
    same = sent_messages(ids).annotate(rank=_RANK)
    return same.filter(run_id=OuterRef("run_id"), step=OuterRef("step"))


def subjects(ids: Sequence[UUID], messages: Collection[str]) -> dict[str, str]:
    """Return what these messages to the customer are called; what was taken back is not."""
    rows = sent_messages(ids).filter(pk__in=messages).exclude(state="withdrawn")
    return {str(key): subject for key, subject in rows.values_list("pk", "subject")}


def sent_messages(ids: Sequence[UUID]) -> QuerySet[Message]:
    """Return what left for a customer, or may have."""
    taken_back_in_time = Q(state="withdrawn", handed_over_at__isnull=True)
    rows = Message.objects.filter(customer_id__in=ids).exclude(state__in=_NEVER_LEFT)
    return rows.exclude(taken_back_in_time).defer("facts", "address")


def _shape(row: Message) -> MessageShape:
    is_gone = row.state == "withdrawn"
    arrived = row.state in ("accepted", "delivered")
    return MessageShape(
        id=row.pk,
        channel=row.channel,
        topic=row.topic,
        message_class=row.message_class,
        automation=row.automation_id,
        language=row.language,
        subject="" if is_gone else row.subject,
        text="" if is_gone else row.text,
        state=row.state,  # type: ignore[arg-type]  # one of Message.State, less those above
        state_at=row.state_at,
        created_at=row.created_at,
        handed_over_at=row.handed_over_at,
        seen_at=row.seen_at,
        read_at=row.read_at,
        is_unread=row.channel == HERE and arrived and row.read_at is None,
        also=msgspec.convert(getattr(row, "also", []), list[AlsoShape]),
    )
