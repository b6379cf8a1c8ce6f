"""Frozen shapes of purposes, notices, topics and ledger entries."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from customers.queries.shapes import Json, Shape, Version


class NoticeShape(Shape, frozen=True):
    """The exact text of the current notice. A consent names its digest (SHA-256 in hex)."""

    version: int
    language: str
    text: str
    digest: str


class PurposeShape(Shape, frozen=True):
    """A purpose that customers can consent to or refuse."""

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
    """The main fields of a ledger entry. Its receipt contains all fields."""

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
