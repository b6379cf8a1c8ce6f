"""The messages of one claim: the queued messages, and the messages that may be sent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from butler.types import Contact

type LinkFactory = Callable[["QueuedMessage"], Mapping[str, str]]


class QueuedMessage(NamedTuple):
    """One queued message: a row of claim_messages.sql."""

    id: UUID
    customer_id: UUID
    key: str
    run_id: UUID | None
    automation_id: str
    version_id: int | None
    step: str
    message_class: str
    topic: str
    purpose: str
    relation: str
    occurred_at: datetime
    expires_at: datetime
    created_at: datetime
    attempts: int
    context: str


class OutgoingMessage(msgspec.Struct, frozen=True):
    """One rendered message that may be sent now."""

    message_id: UUID
    delivery_id: UUID
    number: int
    customer_id: UUID
    customer_version: int
    budget_windows: tuple[tuple[str, str], ...]
    language: str
    address: str
    subject: str
    text: str


class Claimed(NamedTuple):
    """The messages of one claim. Both counts are zero if no message was queued."""

    outgoing: Sequence[OutgoingMessage]
    queued: Mapping[UUID, QueuedMessage]
    # By message id. HTML is not stored: it is ten times as long as the other columns, and can be
    # rendered again from the version and the context.
    html: Mapping[UUID, str]
    claimed_count: int
    # Queued messages whose customers another transaction has locked.
    skipped_count: int = 0


def contact_of(message: QueuedMessage, channel: str) -> Contact:
    """Return the contact to decide on before this message is sent through the channel."""
    return Contact(
        message_class=message.message_class,
        topic=message.topic,
        channel=channel,
        occurred_at=message.occurred_at,
        expires_at=message.expires_at,
        purpose=message.purpose,
        relation=message.relation,
        automation=message.automation_id,
    )
