"""Frozen shapes of the values that queries return. The REST API makes its schema from them."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType


def stored_list(component: str) -> Meta:
    """Return the annotation of a stored JSON list, whose items have this OpenAPI component."""
    items = {"$ref": f"#/components/schemas/{component}"}
    return Meta(extra_json_schema={"type": "array", "items": items})


# JSON that is returned as it is stored, so that numbers keep all digits.
type Json = Annotated[Raw, Meta(extra_json_schema={"description": "Any JSON value"})]
type JsonObjects = Annotated[
    Raw, Meta(extra_json_schema={"type": "array", "items": {"type": "object"}})
]
type JsonObject = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
# JSON as the projections store it. customers.api.stored_shapes has the shapes.
type StoredOrderLines = Annotated[Raw, stored_list("OrderLine")]
type StoredRefunds = Annotated[Raw, stored_list("Refund")]
type StoredOrderRequests = Annotated[Raw, stored_list("OrderRequest")]
type StoredRequestedChanges = Annotated[Raw, stored_list("RequestedChange")]
type StoredGuests = Annotated[Raw, stored_list("Guest")]
type StoredDoubts = Annotated[
    Raw,
    Meta(extra_json_schema={"type": "object", "additionalProperties": {"type": "string"}}),
]
type Version = Annotated[int, Meta(ge=0, description="Version of the record")]
type Verified = Annotated[bool, Meta(description="True: verified; false: only claimed")]
type SignedIn = Annotated[
    bool, Meta(description="True: claimed, but a customer token proved which customer did it")
]

type EvidenceWord = Literal["claimed", "noted", "stated", "opened", "confirmed"]


class Shape(msgspec.Struct, frozen=True, gc=False):
    """Base class of frozen return values."""


def shape_of_row[S: Shape](shape_type: type[S], row: object, **fields: object) -> S:
    """Return a shape with these fields. The other fields come from the row's attributes."""
    columns = {
        name: getattr(row, name) for name in shape_type.__struct_fields__ if name not in fields
    }
    return shape_type(**columns, **fields)


class IdentifierShape(Shape, frozen=True):
    """An identifier of a record, with its strongest evidence. `source` is set for numbers."""

    kind: str
    value: str
    source: str | None
    evidence: EvidenceWord
    is_verified: Verified
    is_shared: bool
    first_seen_at: datetime


class TraitShape(Shape, frozen=True):
    """The value of a trait, with its source and time."""

    value: Json
    is_verified: Verified
    source: str | None
    occurred_at: datetime


class OrderShape(Shape, frozen=True):
    number: str
    status: Literal[
        "requested",
        "placed",
        "amended",
        "partly_refunded",
        "cancelled",
        "refunded",
        "declined",
        "expired",
    ]
    channel: str
    currency: str
    total: Decimal
    is_total_of_lines: bool
    visit_date: date | None
    visit_time: time | None
    party: StoredGuests
    lines: StoredOrderLines
    details: JsonObject
    requested_changes: StoredRequestedChanges
    refunds: StoredRefunds
    doubts: StoredDoubts
    requests: StoredOrderRequests
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
    details: JsonObject
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
    details: JsonObject
    version: Version


class MergeShape(Shape, frozen=True):
    """A merge of a record into another record, with the reason."""

    id: int
    merged_into: UUID = msgspec.field(name="kept")
    record: UUID = msgspec.field(name="joined")
    reason: str
    actor: str
    merged_at: datetime = msgspec.field(name="joined_at")
    undone_at: datetime | UnsetType | None = msgspec.field(name="parted_at", default=UNSET)
    links: JsonObjects | UnsetType = msgspec.field(name="evidence", default=UNSET)


class RecordShape(Shape, frozen=True):
    """One whole customer record, as all channels see it."""

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
    """A record in a list. `is_verified` tells whether the requested identifier is verified."""

    id: UUID
    version: Version
    name: str | None
    created_at: datetime
    last_seen_at: datetime | None
    is_verified: Verified | UnsetType = UNSET


class EventShape(Shape, frozen=True):
    """One event on a log. `customer` is the record with that log, which may be a merged record."""

    customer: UUID
    version: Version
    kind: str
    name: str
    about: str
    is_verified: Verified
    is_signed_in: SignedIn
    source: str
    channel: str
    actor: str
    message_id: str
    occurred_at: datetime
    received_at: datetime
    recorded_at: datetime
    body: JsonObject


class ReviewShape(Shape, frozen=True):
    """A review: a question for staff."""

    id: int
    kind: str
    first: UUID
    second: UUID | None
    details: JsonObject = msgspec.field(name="evidence")
    status: Literal["open", "accepted", "declined"]
    created_at: datetime
    settled_at: datetime | None
    settled_by: str


class QuarantineShape(Shape, frozen=True):
    """An item that could not become an event. `raw` contains the received bytes in base64."""

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


class RequestShape(Shape, frozen=True):
    """A service request of a customer."""

    reference: str
    kind: str
    status: Literal["open", "answered", "closed"]
    subject: str
    channel: str
    opened_at: datetime
    wanted_at: datetime | None
    closed_at: datetime | None
    version: Version


# Functions that read JSON from sources. A value of an unexpected type counts as missing.


def decode_stored(raw: Raw, default: Any) -> Any:
    """Return stored JSON, or the default if the value has another type than the default."""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, type(default)) else default


def trait_text(record: RecordShape, name: str) -> str:
    """Return a trait whose value is text; an empty text if there is none."""
    trait = record.traits.get(name)
    return str(decode_stored(trait.value, "")) if trait else ""


def body_properties(event: EventShape) -> dict[str, Any]:
    """Return the properties that the source sent with an event."""
    properties = decode_stored(event.body, {}).get("properties")
    return properties if isinstance(properties, dict) else {}
