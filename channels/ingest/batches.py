"""Parse the body of a request into its events, each as its original bytes. Pure.

One invalid event must not reject the others. If the body is not valid JSON as a whole,
tolerant_json splits it at its brackets and commas.
"""

from itertools import islice
from typing import Any, NamedTuple

import msgspec

from channels.ingest import limits, salvage, tolerant_json
from channels.ingest.salvage import RawList
from channels.ingest.tolerant_json import WHITESPACE, InvalidBatch

# The same limit as Segment's. The batches of phone libraries and React Native are smaller.
MAX_EVENTS = 2500
# The largest body of ordinary events has fewer. A decoded list of more elements takes 100 MB.
MAX_COMMAS = 400_000


class TooManyEvents(Exception):
    """The request has more than MAX_EVENTS events."""


class EventBatch(NamedTuple):
    """The events of one request and the fields that hold for all of them."""

    raw_events: list[bytes]
    write_key: str = ""
    # Text or a number, as it came.
    sent_at: object = None
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None


class _SingleFields(msgspec.Struct):
    writeKey: msgspec.Raw = msgspec.Raw()
    sentAt: msgspec.Raw = msgspec.Raw()


class _BatchFields(msgspec.Struct):
    batch: list[msgspec.Raw]
    writeKey: msgspec.Raw = msgspec.Raw()
    sentAt: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()


_FIELD_NAMES = ("writeKey", "sentAt", "context", "integrations")
_decode_batch = msgspec.json.Decoder(_BatchFields).decode
_decode_single = msgspec.json.Decoder(_SingleFields).decode


def parse_batch(body: bytes) -> EventBatch:
    """Parse a batch, also one that is damaged in some places.

    Raises InvalidBatch or TooManyEvents.
    """
    raw_list = salvage.parse_or_salvage(
        _parse_batch, without_byte_order_mark(body), list_name=b"batch", max_members=MAX_EVENTS
    )
    return _event_batch(raw_list)


def _parse_batch(body: bytes) -> RawList:
    # A second "batch" would silently replace the first one.
    if body.count(b'"batch"') == 1 and _is_decodable(body):
        try:
            batch = _decode_batch(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _parse_tolerantly(body)
        fields = {name.encode(): bytes(getattr(batch, name)) for name in _FIELD_NAMES}
        return RawList([bytes(raw) for raw in batch.batch], fields)
    return _parse_tolerantly(body)


def parse_single(body: bytes) -> EventBatch:
    """Treat one event as a batch of one. Raises InvalidBatch."""
    body = without_byte_order_mark(body)
    if not body.startswith(b"{"):
        raise InvalidBatch("the body is not a JSON object")
    return _event_batch(RawList([body], _single_fields(body)))


def _single_fields(body: bytes) -> dict[bytes, bytes]:
    """Return the raw fields of an event that also hold for its request."""
    if limits.is_nested_safely(body):
        try:
            event = _decode_single(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        else:
            return {b"writeKey": bytes(event.writeKey), b"sentAt": bytes(event.sentAt)}
    members = dict(tolerant_json.object_members(body))
    return {name: members.get(name, b"") for name in (b"writeKey", b"sentAt")}


def parse_list(body: bytes) -> EventBatch:
    """Parse a list of CloudEvents, also one that is damaged in some places.

    Raises InvalidBatch or TooManyEvents.
    """
    body = without_byte_order_mark(body)
    if not body.startswith(b"["):
        raise InvalidBatch("the body is not a list of events")
    raw_list = salvage.parse_or_salvage(_split_list, body, list_name=b"", max_members=MAX_EVENTS)
    return _event_batch(raw_list)


def _split_list(body: bytes) -> RawList:
    return RawList(list(islice(tolerant_json.split_members(body), MAX_EVENTS + 1)), {})


def _is_decodable(body: bytes) -> bool:
    """Return whether the body is safe to decode: not too deep and without too many commas."""
    return body.count(b",") <= MAX_COMMAS and limits.is_nested_safely(body)


def _parse_tolerantly(body: bytes) -> RawList:
    if not body.startswith(b"{"):
        raise InvalidBatch("the body is not a JSON object")
    members: dict[bytes, bytes] = {}
    for key, value in tolerant_json.object_members(body):
        if key == b"batch" and key in members:
            raise InvalidBatch('"batch" occurs twice')
        members[key] = value
    batch = members.get(b"batch", b"")
    if not batch.startswith(b"["):
        raise InvalidBatch('"batch" is not a list of events')
    raw_events = _limited(_split_list(batch).members)
    parts = (part for raw in raw_events for part in salvage.adjacent_objects(raw, MAX_EVENTS))
    return RawList(list(islice(parts, MAX_EVENTS + 1)), members)


def _event_batch(raw_list: RawList) -> EventBatch:
    """Decode the fields of the envelope. Raises TooManyEvents."""
    fields = raw_list.fields
    return EventBatch(
        _limited(raw_list.members),
        _decoded_text(fields.get(b"writeKey", b"")),
        decoded_scalar(fields.get(b"sentAt", b"")),
        _decoded_object(fields.get(b"context", b"")),
        _decoded_object(fields.get(b"integrations", b"")),
    )


def _limited(raw_events: list[bytes]) -> list[bytes]:
    if len(raw_events) > MAX_EVENTS:
        raise TooManyEvents(f"one request may contain at most {MAX_EVENTS} events")
    return raw_events


def without_byte_order_mark(body: bytes) -> bytes:
    """Return the body without the mark and the blanks that some programs write around it."""
    return body.removeprefix(limits.BYTE_ORDER_MARK).strip(WHITESPACE + b"\0")


def _decoded_text(raw: bytes) -> str:
    value = decoded_scalar(raw)
    return value if isinstance(value, str) else ""


def decoded_scalar(raw: bytes) -> object:
    """Return the text or number of a raw field; None if it is something else, or damaged."""
    try:
        return None if raw[:1] in (b"{", b"[", b"") else msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _decoded_object(raw: bytes) -> dict[str, Any] | None:
    if raw == b"{}" or raw[:1] != b"{":
        return None
    try:
        return limits.read_object(raw)[0]
    except limits.InvalidEvent:
        return None
