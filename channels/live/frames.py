"""Encode server-sent events as bytes. Pure: no clock, no database, no network."""

import re
from datetime import datetime
from typing import Any

import msgspec

from customers.types import kind_term

# Event names of browsers and of Butler. Events of senders must not use them.
RESERVED_NAMES = frozenset({"hello", "moved", "joined", "ended", "open", "error", "message"})

HEARTBEAT_FRAME = b": still here\n\n"

_LINE_BREAKS = re.compile(r"[\r\n\x00]+")
_encode = msgspec.json.Encoder().encode


class EventRow(msgspec.Struct, gc=False):
    """One event of a log, as a row of read_events.sql; `body` is JSON text."""

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
    # False if the record of the event is no longer a part of this one.
    is_ours: bool


class EventPayload(msgspec.Struct, gc=False):
    """The JSON of an event in the stream."""

    version: int
    kind: str
    name: str
    about: str
    occurred_at: datetime
    recorded_at: datetime
    channel: str
    evidence: int
    actor: str
    message_id: str
    body: msgspec.Raw


def event_frame(row: EventRow) -> bytes:
    """Return the frame of an event; for an event of another customer, only its version."""
    if not row.is_ours:
        return _frame("moved", {"version": row.version, "kind": "moved"}, row.version)
    payload = EventPayload(
        version=row.version,
        kind=kind_term(row.kind),
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
    return _frame(event_name(payload.kind, row.name), payload, row.version)


def event_name(kind: str, name: str) -> str:
    """Return the name of the frame of an event: one line, and not a reserved name."""
    line = _LINE_BREAKS.sub(" ", name).strip() or kind
    return f"{kind}:{line}" if line in RESERVED_NAMES else line


def hello_frame(*, customer_id: str, version: int, position: int | None, retry: int) -> bytes:
    """Return the first frame, with the version of the customer.

    `position` is the start version of a reader that named none. It becomes the reader's last
    event id. Without it, a reader that loses the connection before the first event would
    reconnect without an id and miss the events in between.
    """
    greeting = {"customer": customer_id, "version": version}
    return b"retry: %d\n" % retry + _frame("hello", greeting, position)


def joined_frame(*, customer_id: str, canonical_id: str) -> bytes:
    """Return the frame that reports the merge of the record into another one."""
    return _frame("joined", {"customer": customer_id, "canonical": canonical_id})


def ended_frame(*, reason: str, retry: int) -> bytes:
    """Return the last frame; `retry` is the time to wait before reconnecting, in milliseconds."""
    return b"retry: %d\n" % retry + _frame("ended", {"reason": reason})


def _frame(name: str, payload: Any, position: int | None = None) -> bytes:
    id_line = b"" if position is None else b"id: %d\n" % position
    return b"%bevent: %b\ndata: %b\n\n" % (id_line, name.encode(), _encode(payload))
