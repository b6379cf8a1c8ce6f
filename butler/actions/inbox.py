"""What a customer does with what we said: sees it, reads it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce

from butler.models import Message
from butler.queries.inbox import left
from customers import sql
from customers.actions import notes

READ = "Message Read"


class NoSuchMessage(Exception):
    """It is not there, or it is somebody else's."""


@transaction.atomic
def mark_seen(*, ids: Sequence[UUID], messages: Iterable[UUID], now: datetime) -> int:
    """Note that these messages were on a screen of their customer; `ids` are the customer's.

    No event: that a list was opened is not worth a place on the log, but what waits to be
    seen looks here before it tries another channel.
    """
    mine = Message.objects.filter(customer_id__in=ids, pk__in=list(messages))
    fresh = mine.filter(channel="inbox", seen_at=None)
    if not fresh.exists():
        return 0
    sql.rows("lock_records", {"ids": list(ids)})
    return fresh.update(seen_at=now)


@transaction.atomic
def mark_read(*, ids: Sequence[UUID], message_id: UUID, now: datetime) -> bool:
    """Note that a message was read, once, on the log too: other devices show it at once.

    Returns whether it was news; raises NoSuchMessage.
    """
    # Everybody who writes both takes the customer before the message.
    sql.rows("lock_records", {"ids": list(ids)})
    mine = left(ids).filter(pk=message_id)
    fresh = mine.filter(read_at=None)
    if not fresh.update(read_at=now, seen_at=Coalesce("seen_at", now)):
        if not mine.exists():
            raise NoSuchMessage
        return False
    found = mine.values("customer_id", "channel", "topic").get()
    notes.add_note(
        customer_id=found["customer_id"],
        name=READ,
        about=f"message:{message_id}",
        properties={"channel": found["channel"], "topic": found["topic"]},
        actor="",
        now=now,
        kind="message",
    )
    return True
