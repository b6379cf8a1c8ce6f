"""The messages of one claim: as they are queued, and as they may be sent."""

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
    """One message that may be sent now, as it was rendered."""

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
    """The messages of one claim; both counts are zero where no message is queued."""

    outgoing: Sequence[OutgoingMessage]
    queued: Mapping[UUID, QueuedMessage]
    # By message. Not stored: it can be rendered again from the version and the context, and is ten
    # times as long as everything else.
    html: Mapping[UUID, str]
    claimed_count: int
    # Queued messages whose customers are locked elsewhere, for a moment.
    skipped_count: int = 0


def contact_of(message: QueuedMessage, channel: str) -> Contact:
    """Return the act of sending this message."""
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
