"""What readers get to see: frozen shapes, which are also the schema of the REST API."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

# JSON that is handed on as it is stored: numbers keep every digit.
type Json = Annotated[Raw, Meta(extra_json_schema={"description": "Any JSON value"})]
type Documents = Annotated[
    Raw, Meta(extra_json_schema={"type": "array", "items": {"type": "object"}})
]
type Document = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
type Version = Annotated[int, Meta(ge=0, description="Of the record; counts its events")]
type Verified = Annotated[bool, Meta(description="Proved, not only claimed")]


class Shape(msgspec.Struct, frozen=True, gc=False):
    """A frozen answer."""


class IdentifierShape(Shape, frozen=True):
    kind: str
    value: str
    is_verified: Verified
    is_shared: bool
    first_seen_at: datetime


class TraitShape(Shape, frozen=True):
    """A value, and where it comes from."""

    value: Json
    is_verified: Verified
    source: str | None
    occurred_at: datetime


class OrderShape(Shape, frozen=True):
    number: str
    status: Literal["requested", "placed", "amended", "cancelled", "refunded", "declined"]
    channel: str
    currency: str
    total: Decimal
    visit_date: date | None
    visit_time: time | None
    party: Documents
    lines: Documents
    details: Document
    requested_changes: Documents
    is_verified: Verified
    placed_at: datetime
    changed_at: datetime
    changed_by: str
    version: Version


class VisitShape(Shape, frozen=True):
    number: str
    visit_date: date
    visit_time: time | None
    status: str


class MemberShape(Shape, frozen=True):
    reference: str
    name: str
    role: Literal["guardian", "child", "guest"]
    birth_date: date | None
    guardian: str
    details: Document
    version: Version


class InteractionShape(Shape, frozen=True):
    reference: str
    kind: str
    channel: str
    direction: str
    status: str
    staff: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    details: Document
    version: Version


class MergeShape(Shape, frozen=True):
    """Two records that became one, and why."""

    id: int
    kept: UUID
    joined: UUID
    reason: str
    actor: str
    joined_at: datetime
    parted_at: datetime | UnsetType | None = UNSET
    evidence: Documents | UnsetType = UNSET


class RecordShape(Shape, frozen=True):
    """One customer, whole: what every channel sees."""

    id: UUID
    version: Version
    created_at: datetime
    last_seen_at: datetime | None
    identifiers: tuple[IdentifierShape, ...]
    traits: dict[str, TraitShape]
    orders: tuple[OrderShape, ...]
    next_visit: VisitShape | None
    party: tuple[MemberShape, ...]
    interactions: tuple[InteractionShape, ...]
    members: tuple[MergeShape, ...]
    open_reviews: int


class SummaryShape(Shape, frozen=True):
    """A record in a list; `is_verified` says whether the identifier asked for is proved."""

    id: UUID
    version: Version
    name: str | None
    created_at: datetime
    last_seen_at: datetime | None
    is_verified: Verified | UnsetType = UNSET


class EventShape(Shape, frozen=True):
    """One event on the log; `customer` is whose log, when it came in before records joined."""

    customer: UUID
    version: Version
    kind: str
    name: str
    about: str
    is_verified: Verified
    source: str
    channel: str
    actor: str
    message_id: str
    occurred_at: datetime
    received_at: datetime
    recorded_at: datetime
    body: Document


class ReviewShape(Shape, frozen=True):
    """Something a person should look at."""

    id: int
    kind: str
    left: UUID
    right: UUID | None
    evidence: Document
    status: Literal["open", "accepted", "declined"]
    created_at: datetime
    settled_at: datetime | None
    settled_by: str


class QuarantineShape(Shape, frozen=True):
    """Something that came in and could not become an event; `raw` is base64."""

    id: int
    source: str
    message_id: str
    reason: str
    detail: str
    size: int
    received_at: datetime
    replayed_at: datetime | None
    raw: bytes | UnsetType = UNSET


class RecordVersion(Shape, frozen=True):
    """The version of a record, without the record."""

    id: UUID
    version: int
    is_current: bool


class NoticeShape(Shape, frozen=True):
    """The exact text that is shown today; a consent names its digest."""

    version: int
    language: str
    text: str
    digest: str


class PurposeShape(Shape, frozen=True):
    """Something that customers are asked for."""

    key: str
    kind: Literal["contact", "use"]
    name: str
    description: str
    is_offered: bool
    notice: NoticeShape | None


class TopicShape(Shape, frozen=True):
    """Something that messages are about."""

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


class RequestShape(Shape, frozen=True):
    """Something a customer asked a person for."""

    reference: str
    kind: str
    status: Literal["open", "answered", "closed"]
    subject: str
    channel: str
    opened_at: datetime
    wanted_at: datetime | None
    closed_at: datetime | None
    version: Version


# What is handed on as it is stored, read by those who put it into words. Sources write what
# they like: anything of another shape than expected counts as nothing.


def stored(raw: Raw, default: Any) -> Any:
    """Return stored JSON, or the default where it is of another kind than that."""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, type(default)) else default


def trait_text(record: RecordShape, name: str) -> str:
    """Return a trait that is text; empty where there is none."""
    found = record.traits.get(name)
    return str(stored(found.value, "")) if found else ""


def properties(event: EventShape) -> dict[str, Any]:
    """Return what the source said of an event."""
    said = stored(event.body, {}).get("properties")
    return said if isinstance(said, dict) else {}
