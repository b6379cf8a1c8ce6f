"""Marks messages as seen and as read."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce

from butler.models import Message
from butler.queries.inbox import sent_messages
from customers import sql
from customers.actions import internal_events

READ_EVENT = "Message Read"


class NoSuchMessage(Exception):
    """The message does not exist or belongs to another customer."""


@transaction.atomic
def mark_seen(*, ids: Sequence[UUID], messages: Iterable[UUID], now: datetime) -> int:
    """Mark inbox messages as shown to the customer; return how many were not marked before.

    `ids` are the records of the customer. Appends no event. Runs that wait
    until a message is seen read the column `seen_at`.
    """
    own = Message.objects.filter(customer_id__in=ids, pk__in=list(messages))
    unread = own.filter(channel="inbox", seen_at=None)
    if not unread.exists():
        return 0
    sql.rows("lock_records", {"ids": list(ids)})
    return unread.update(seen_at=now)


@transaction.atomic
def mark_read(*, ids: Sequence[UUID], message_id: UUID, now: datetime) -> bool:
    """Mark a message as read and append an event, so that other devices show it immediately.

    The caller has checked that the session opens the message. Returns whether it was unread before. Raises NoSuchMessage.
    """
    # All writers lock the customer before the message, so that they cannot deadlock.
    sql.rows("lock_records", {"ids": list(ids)})
    own = sent_messages(ids, part=None).filter(pk=message_id)
    unread = own.filter(read_at=None)
    if not unread.update(read_at=now, seen_at=Coalesce("seen_at", now)):
        if not own.exists():
            raise NoSuchMessage
        return False
    _append_read_event(own.only("customer_id", "channel", "topic").get(), now)
    return True


def _append_read_event(message: Message, now: datetime) -> None:
    internal_events.append_internal_event(
        customer_id=message.customer_id,
        name=READ_EVENT,
        about=f"message:{message.pk}",
        properties={"channel": message.channel, "topic": message.topic},
        actor="",
        now=now,
        kind="message",
    )
