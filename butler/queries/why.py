"""Why a customer got a message, why another one did not come, and who looked at the record.

Codes and facts only: the sentence for a code, in the reader's language, is butler.decisions.reasons.catalog'.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from butler import sql
from customers.models import AccessLogEntry
from customers.queries.pages import Page, read_cursor, read_page, write_cursor
from customers.queries.shapes import Document, Documents


class DecisionShape(msgspec.Struct, frozen=True):
    """The last word on one channel, with every question that was asked for it."""

    id: UUID
    stage: str
    outcome: str
    code: str
    # What it would be: its class, topic, channel, purpose and relation.
    act: Document
    # As butler.types.Gate has them.
    gates: Documents
    until: datetime | None
    decided_at: datetime
    customer_version: int
    rules_version: str
    message: UUID | None
    # Of the message, once it left; empty: it did not.
    state: str
    subject: str


class OccasionShape(msgspec.Struct, frozen=True):
    """One time that there was something to say, and what was decided on each channel."""

    id: UUID
    decided_at: datetime
    automation: str
    # What the automation is called, by language.
    name: dict[str, str]
    decisions: tuple[DecisionShape, ...]


class LookShape(msgspec.Struct, frozen=True):
    """Somebody looked at the record."""

    at: datetime
    actor: str
    role: str
    what: str
    reason: str


class _Place(msgspec.Struct, array_like=True):
    """Where the next page starts: below this decision."""

    decided_at: datetime
    id: UUID


_decisions = msgspec.json.Decoder(tuple[DecisionShape, ...]).decode
_name = msgspec.json.Decoder(dict[str, str]).decode


def why(
    ids: Sequence[UUID], *, is_sent: bool | None = None, cursor: str | None, limit: int
) -> Page[OccasionShape]:
    """Return what was decided for the customer whose records these are, newest first."""
    place = read_cursor(cursor, _Place) if cursor else None
    params = {
        "ids": list(ids),
        "is_sent": is_sent,
        "before_at": place.decided_at if place else None,
        "before_id": place.id if place else None,
        "limit": limit + 1,
    }
    found: list[Any] = sql.rows("read_why", params)
    page = found[:limit]
    shapes = [
        OccasionShape(id_, decided_at, automation, _name(name), _decisions(decisions))
        for id_, decided_at, _, automation, name, decisions in page
    ]
    if len(found) <= limit:
        return Page(shapes)
    _, decided_at, newest, *_ = page[-1]
    return Page(shapes, write_cursor(_Place(decided_at, newest)))


def looks(ids: Sequence[UUID], *, cursor: str | None, limit: int) -> Page[LookShape]:
    """Return who looked at the record, newest first."""
    rows = AccessLogEntry.objects.filter(customer_id__in=ids)
    return read_page(
        rows, order_by={"at": datetime, "id": int}, to_shape=_look, cursor=cursor, limit=limit
    )


def _look(row: AccessLogEntry) -> LookShape:
    return LookShape(row.at, row.actor, row.role, row.what, row.reason)
