"""Open what a client sent: the items of a batch, each still as the bytes it came in. Pure.

One bad item must not cost the others, so a body that is not JSON as a whole is taken apart
at its brackets and commas, in one pass.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from channels.ingest import limits

# Segment takes as many; the phones' files and React Native's queue stay below.
MAX_ITEMS = 2500
# Brackets, commas and strings of 2,500 ordinary events; half a second of work.
MAX_TOKENS = 1_000_000

_TOKEN = re.compile(limits.STRING + rb'|[][{},"]', re.DOTALL)
_OPENING, _CLOSING = frozenset(b"{["), frozenset(b"}]")
_QUOTE, _COMMA = b'",'
_BLANK = b" \t\r\n"


class NotABatch(Exception):
    """Nothing in it can be told apart: no JSON, or no list of events."""


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
    if body.count(b'"batch"') == 1 and limits.is_nested_safely(body):
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
    members = dict(_pairs(body))
    return Envelope(
        [body], _text(members.get(b"writeKey", b"")), _text(members.get(b"sentAt", b""))
    )


def open_list(body: bytes) -> list[bytes]:
    """Take a bare list of items apart. Raises NotABatch or TooMany."""
    body = _without_mark(body)
    if not body.startswith(b"["):
        raise NotABatch("a list of events was expected")
    return _bounded(list(islice(_members(body), MAX_ITEMS + 1)))


def _salvaged_batch(body: bytes) -> Envelope:
    if not body.startswith(b"{"):
        raise NotABatch("the body is not a JSON object")
    members: dict[bytes, bytes] = {}
    for key, value in _pairs(body):
        if key == b"batch" and key in members:
            raise NotABatch('"batch" is given twice')
        members[key] = value
    batch = members.get(b"batch", b"")
    if not batch.startswith(b"["):
        raise NotABatch('"batch" is not a list of events')
    return Envelope(
        _bounded(list(islice(_members(batch), MAX_ITEMS + 1))),
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
    return body.removeprefix(b"\xef\xbb\xbf").strip(_BLANK)


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


def _pairs(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the keys, still escaped, and raw values of an object."""
    for member in _members(text):
        key, colon, value = _split(member)
        if colon:
            yield key.strip(_BLANK).strip(b'"'), value.strip(_BLANK)


def _split(member: bytes) -> tuple[bytes, bytes, bytes]:
    if token := _TOKEN.match(member):
        end = token.end()
        key, between = member[:end], member[end:].lstrip(_BLANK)
        if between.startswith(b":"):
            return key, b":", between[1:]
    return b"", b"", b""


def _members(text: bytes) -> Iterator[bytes]:
    """Give what stands between the commas of the outermost brackets.

    Reads brackets and strings only, so it finds its way past values that no decoder takes.
    Raises NotABatch where the brackets do not end with the text.
    """
    depth, start = 0, 1
    for count, token in enumerate(_TOKEN.finditer(text)):
        mark = text[token.start()]
        if mark == _QUOTE:
            if token.end() - token.start() == 1:
                raise NotABatch("a string never ends")
            continue
        if mark in _OPENING:
            depth += 1
        elif mark in _CLOSING:
            depth -= 1
        if depth == 0 or (depth == 1 and mark == _COMMA):
            if member := text[start : token.start()].strip(_BLANK):
                yield member
            start = token.end()
        if depth == 0:
            break
        if count > MAX_TOKENS:
            raise NotABatch("there is no end to it")
    if depth or text[start:].strip(_BLANK):
        raise NotABatch("the brackets do not match")
