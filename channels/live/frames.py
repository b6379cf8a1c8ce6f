"""Server-sent events as bytes. Pure: no clock, no database, no network."""

import re
from datetime import datetime
from typing import Any

import msgspec

# What browsers and we ourselves call things; a sender's event must not pass for one of them.
RESERVED_NAMES = frozenset({"hello", "moved", "joined", "ended", "open", "error", "message"})

HEARTBEAT_FRAME = b": still here\n\n"

_LINE_BREAKS = re.compile(r"[\r\n\x00]+")
_encode = msgspec.json.Encoder().encode


class EventRow(msgspec.Struct, gc=False):
    """One event of a log as it is read for a stream; `body` is JSON text."""

    version: int
    kind: str
    name: str
    about: str
    evidence: int
    actor: str
    message_id: str
    occurred_at: datetime
    recorded_at: datetime
    channel: str
    body: bytes
    # False when the record it was filed under is no longer part of this one.
    is_ours: bool


class EventPayload(msgspec.Struct, gc=False):
    """The JSON of an event as a reader of the stream gets it."""

    version: int
    kind: str
    name: str
    about: str
    occurred_at: datetime
    recorded_at: datetime
    channel: str
    # Readers of the stream know it by its first name.
    evidence: int = msgspec.field(name="trust")
    actor: str
    message_id: str
    body: msgspec.Raw


def event_frame(row: EventRow) -> bytes:
    """Write one event; one that belongs to somebody else by now keeps only its place."""
    if not row.is_ours:
        return _frame("moved", {"version": row.version, "kind": "moved"}, row.version)
    payload = EventPayload(
        version=row.version,
        kind=row.kind,
        name=row.name,
        about=row.about,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        channel=row.channel,
        evidence=row.evidence,
        actor=row.actor,
        message_id=row.message_id,
        body=msgspec.Raw(row.body),
    )
    return _frame(event_name(row.kind, row.name), payload, row.version)


def event_name(kind: str, name: str) -> str:
    """Name a frame after its event; one line, and never one of the reserved names."""
    line = _LINE_BREAKS.sub(" ", name).strip() or kind
    return f"{kind}:{line}" if line in RESERVED_NAMES else line


def hello_frame(*, customer_id: str, version: int, position: int | None, retry: int) -> bytes:
    """Return the first frame, with the version of the customer.

    `position` is where the reader starts when it did not say so itself. It has to become the
    reader's last id: a reader cut off before the first event would otherwise come back
    without one, and miss what happened in between.
    """
    greeting = {"customer": customer_id, "version": version}
    return b"retry: %d\n" % retry + _frame("hello", greeting, position)


def joined_frame(*, customer_id: str, canonical_id: str) -> bytes:
    """Return the frame that says that the record was merged into another one."""
    return _frame("joined", {"customer": customer_id, "canonical": canonical_id})


def ended_frame(*, reason: str, retry: int) -> bytes:
    """Return the last frame; `retry` is when to reconnect, in milliseconds."""
    return b"retry: %d\n" % retry + _frame("ended", {"reason": reason})


def _frame(name: str, payload: Any, position: int | None = None) -> bytes:
    id_line = b"" if position is None else b"id: %d\n" % position
    return b"%bevent: %b\ndata: %b\n\n" % (id_line, name.encode(), _encode(payload))
