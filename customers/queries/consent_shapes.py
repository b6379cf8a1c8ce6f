"""Frozen shapes of consent, of what customers are asked for and of the ledger."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from customers.queries.shapes import Json, Shape, Version


class NoticeShape(Shape, frozen=True):
    """The exact text that is shown today; a consent names its digest."""

    version: int
    language: str
    text: str
    digest: str


class PurposeShape(Shape, frozen=True):
    """A purpose that customers are asked for."""

    key: str
    kind: Literal["contact", "use"]
    name: str
    description: str
    is_offered: bool
    notice: NoticeShape | None


class TopicShape(Shape, frozen=True):
    """A topic of messages."""

    key: str
    name: str
    description: str


class LedgerEntryShape(Shape, frozen=True):
    """One entry of the ledger as readers see it; its receipt has every field."""

    id: UUID
    kind: str
    subject: str
    channel: str
    topic: str
    value: Json
    notice: str | None
    language: str | None
    by: Literal["self", "guardian", "staff", "source", "signal", "clock"]
    actor: str
    source_channel: str
    evidence: dict[str, str]
    valid_until: datetime | None
    occurred_at: datetime
    recorded_at: datetime
    version: Version
