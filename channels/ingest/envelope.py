"""Open what a client sent: the items of a batch, each still as the bytes it came in. Pure.

One bad item must not cost the others, so what is not JSON as a whole goes the slow way,
by its brackets and commas.
"""

from itertools import islice
from typing import Any, NamedTuple

import msgspec

from channels.ingest import limits, salvage
from channels.ingest.salvage import BLANK, NotABatch

# Segment takes as many; the phones' files and React Native's queue stay below.
MAX_ITEMS = 2500
# Ordinary events have fewer in the largest body. Decoded, a list of more takes 100 MB.
MAX_COMMAS = 400_000


class TooMany(Exception):
    """More items than one request may carry."""


class Envelope(NamedTuple):
    """The items and what was said about all of them."""

    items: list[bytes]
    write_key: str = ""
    sent_at: str = ""
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None


class _Around(msgspec.Struct):
    writeKey: msgspec.Raw = msgspec.Raw()
    sentAt: msgspec.Raw = msgspec.Raw()


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]
    writeKey: msgspec.Raw = msgspec.Raw()
    sentAt: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_around = msgspec.json.Decoder(_Around).decode


def open_batch(body: bytes) -> Envelope:
    """Take a batch apart. Raises NotABatch or TooMany."""
    body = _without_mark(body)
    # A second "batch" would silently replace the first one.
    if body.count(b'"batch"') == 1 and _is_ordinary(body):
        try:
            batch = _decode_batch(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _salvaged_batch(body)
        return Envelope(
            _bounded([bytes(item) for item in batch.batch]),
            _text(bytes(batch.writeKey)),
            _text(bytes(batch.sentAt)),
            _object(bytes(batch.context)),
            _object(bytes(batch.integrations)),
        )
    return _salvaged_batch(body)


def open_single(body: bytes) -> Envelope:
    """Treat one event as a batch of one. Raises NotABatch."""
    body = _without_mark(body)
    if not body.startswith(b"{"):
        raise NotABatch("the body is not a JSON object")
    if limits.is_nested_safely(body):
        try:
            around = _decode_around(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        else:
            write_key, sent_at = bytes(around.writeKey), bytes(around.sentAt)
            return Envelope([body], _text(write_key), _text(sent_at))
    members = dict(salvage.pairs(body))
    return Envelope(
        [body], _text(members.get(b"writeKey", b"")), _text(members.get(b"sentAt", b""))
    )


def open_list(body: bytes) -> list[bytes]:
    """Take a bare list of items apart. Raises NotABatch or TooMany."""
    body = _without_mark(body)
    if not body.startswith(b"["):
        raise NotABatch("a list of events was expected")
    return _bounded(list(islice(salvage.members(body), MAX_ITEMS + 1)))


def _is_ordinary(body: bytes) -> bool:
    """Tell whether a decoder may look at this text: it is neither too deep nor all commas."""
    return body.count(b",") <= MAX_COMMAS and limits.is_nested_safely(body)


def _salvaged_batch(body: bytes) -> Envelope:
    if not body.startswith(b"{"):
        raise NotABatch("the body is not a JSON object")
    members: dict[bytes, bytes] = {}
    for key, value in salvage.pairs(body):
        if key == b"batch" and key in members:
            raise NotABatch('"batch" is given twice')
        members[key] = value
    batch = members.get(b"batch", b"")
    if not batch.startswith(b"["):
        raise NotABatch('"batch" is not a list of events')
    return Envelope(
        _bounded(list(islice(salvage.members(batch), MAX_ITEMS + 1))),
        _text(members.get(b"writeKey", b"")),
        _text(members.get(b"sentAt", b"")),
        _object(members.get(b"context", b"")),
        _object(members.get(b"integrations", b"")),
    )


def _bounded(items: list[bytes]) -> list[bytes]:
    if len(items) > MAX_ITEMS:
        raise TooMany(f"one request may carry {MAX_ITEMS} events")
    return items


def _without_mark(body: bytes) -> bytes:
    return body.removeprefix(b"\xef\xbb\xbf").strip(BLANK)


def _text(raw: bytes) -> str:
    try:
        value = msgspec.json.decode(raw) if raw[:1] == b'"' else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return value if isinstance(value, str) else ""


def _object(raw: bytes) -> dict[str, Any] | None:
    if raw == b"{}" or raw[:1] != b"{":
        return None
    try:
        return limits.read_object(raw)[0]
    except limits.Unfit:
        return None
