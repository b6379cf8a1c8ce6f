"""The decisions about a customer, and the access log of the record.

The shapes contain codes and facts. butler.decisions.reasons.catalog has the sentence of a code.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Raw

from butler import sql
from butler.queries.inbox import of_opened_records
from customers.models import AccessLogEntry
from customers.queries.pages import Page, read_cursor, read_page, write_cursor
from customers.queries.shapes import JsonObject, stored_list
from customers.types import OpenedRecord


class DecisionShape(msgspec.Struct, frozen=True):
    """The last decision on one channel, with the gate of every check."""

    id: UUID
    stage: str
    outcome: str
    code: str
    # The class, topic, channel, purpose and relation of the message.
    act: JsonObject
    # In the format of butler.types.Gate.
    gates: Annotated[Raw, stored_list("Gate")]
    until: datetime | None
    decided_at: datetime
    customer_version: int
    rules_version: str
    message: UUID | None
    # The state and the subject of the message; empty if it was not sent.
    state: str
    subject: str


class OccasionShape(msgspec.Struct, frozen=True):
    """One occasion for messages, with the last decision on each channel."""

    id: UUID
    decided_at: datetime
    automation: str
    # The name of the automation, by language.
    name: dict[str, str]
    decisions: tuple[DecisionShape, ...]


class AccessLogEntryShape(msgspec.Struct, frozen=True):
    """One access to the record by a staff member or a program."""

    at: datetime
    actor: str
    role: str
    what: str
    reason: str


class _PageStart(msgspec.Struct, array_like=True):
    """The position of a page: it starts after this decision."""

    decided_at: datetime
    id: UUID


_decisions = msgspec.json.Decoder(tuple[DecisionShape, ...]).decode
_name = msgspec.json.Decoder(dict[str, str]).decode


def occasions(
    ids: Sequence[UUID],
    *,
    is_sent: bool | None = None,
    cursor: str | None,
    limit: int,
    part: OpenedRecord | None = None,
) -> Page[OccasionShape]:
    """Return the occasions of the customer with these records, newest first.

    part: the part of the record that a session opens. Messages to other addresses have no name.
    """
    place = read_cursor(cursor, _PageStart) if cursor else None
    params = {
        "ids": list(ids),
        "is_sent": is_sent,
        "addresses": list(part.addresses) if part else None,
        "record_ids": list(part.record_ids) if part else None,
        "before_at": place.decided_at if place else None,
        "before_id": place.id if place else None,
        "limit": limit + 1,
    }
    rows: list[Any] = sql.rows("read_occasions", params)
    page = rows[:limit]
    shapes = [_occasion(row) for row in page]
    if len(rows) <= limit:
        return Page(shapes)
    _, decided_at, newest, *_ = page[-1]
    return Page(shapes, write_cursor(_PageStart(decided_at, newest)))


def _occasion(row: tuple[UUID, datetime, UUID, str, str, str]) -> OccasionShape:
    id_, decided_at, _, automation, name, decisions = row
    return OccasionShape(id_, decided_at, automation, _name(name), _decisions(decisions))


def access_log(
    ids: Sequence[UUID], *, cursor: str | None, limit: int, part: OpenedRecord | None = None
) -> Page[AccessLogEntryShape]:
    """Return the entries of the access log of these records, newest first.

    part: the part of the record that a session opens; None for the whole record
    """
    rows = AccessLogEntry.objects.filter(customer_id__in=ids)
    if part:
        rows = rows.filter(of_opened_records(part, at="at"))
    return read_page(
        rows,
        order_by={"at": datetime, "id": int},
        to_shape=_access_log_entry,
        cursor=cursor,
        limit=limit,
    )


def _access_log_entry(row: AccessLogEntry) -> AccessLogEntryShape:
    return AccessLogEntryShape(row.at, row.actor, row.role, row.what, row.reason)
