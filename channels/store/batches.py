"""A batch of an offline till, opened line by line: one bad line costs no other. Pure."""

from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from channels.ingest import clock, limits, segment, tolerant_json
from channels.ingest.segment import ParsedEvent, RequestContext
from channels.ingest.tolerant_json import InvalidBatch
from channels.store import lines
from customers.types import RejectedItem

MAX_LINES = 1000
MAX_DEVICE = 40


class Batch(NamedTuple):
    """What a device sent: its name, its count of batches, its clock and the raw lines."""

    device: str
    sequence: int | None
    clock: datetime | None
    lines: list[bytes]


class Line(NamedTuple):
    """One line: the id its device gave it, and the event or why there is none."""

    id: str
    found: ParsedEvent


def open_batch(body: bytes) -> Batch:
    """Take a batch apart. Raises InvalidBatch."""
    body = body.strip(tolerant_json.WHITESPACE)
    if not body.startswith(b"{"):
        raise InvalidBatch("the body is not a JSON object")
    members = dict(tolerant_json.object_members(body))
    given = members.get(b"lines", b"")
    if not given.startswith(b"["):
        raise InvalidBatch('"lines" is not a list')
    raws = list(islice(tolerant_json.split_members(given), MAX_LINES + 1))
    if len(raws) > MAX_LINES:
        raise InvalidBatch(f"a batch has at most {MAX_LINES} lines")
    device = _value(members, b"device")
    if type(device) is not str or not 0 < len(device) <= MAX_DEVICE:
        raise InvalidBatch(f'"device" is text of 1 to {MAX_DEVICE} characters')
    sequence = _value(members, b"sequence")
    return Batch(
        device,
        sequence if type(sequence) is int else None,
        clock.parse_time(_value(members, b"clock")),
        raws,
    )


def read_line(raw: bytes, batch: Batch, request_context: RequestContext) -> Line:
    """Make an event of one line, or say why it cannot be one."""
    line_id = ""
    try:
        line, _ = limits.read_object(raw)
        line_id = lines.text(line, "id")
        event = lines.read_line(line, device=batch.device)
        # Not hashed: a line that comes again in another batch is still the same line.
        event["_metadata"] = {"device": batch.device, "sequence": batch.sequence}
        return Line(line_id, segment.build_event(event, request_context))
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return Line(line_id, RejectedItem(raw, invalid.reason, invalid.detail))


def _value(members: dict[bytes, bytes], name: bytes) -> Any:
    raw = members.get(name, b"")
    try:
        return None if raw[:1] in (b"{", b"[", b"") else msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
