"""Find the whole members of a list in a body that was cut, joined or damaged in one place. Pure.

Clients throw a batch away when it is refused. Such bodies are known from clients that write
their queue to files: half an event at the end, two files in one, a lost comma or bracket
(segmentio/analytics-ios 1072, analytics-swift 191, 266 and 320, Analytics-CSharp 61, jitsu 756).
"""

import re
from typing import NamedTuple

import msgspec

from channels.ingest import limits, tolerant_json
from channels.ingest.tolerant_json import WHITESPACE, InvalidBatch

# The largest number of bytes to read again after damage, as a multiple of the text.
_MAX_REREADING = 4
# What stands between members, and may stand around a list.
_PUNCTUATION = WHITESPACE + b"\0,]}"
# An envelope up to the list in it, of which the rest is damaged.
_HEAD = re.compile(rb'\{.*"\w+"\s*+:\s*+\[\s*+', re.DOTALL)


class Salvaged(NamedTuple):
    """The members, whole ones and damaged ones, and the fields of the envelope around them."""

    members: list[bytes]
    fields: dict[bytes, bytes]


def salvage(text: bytes, *, list_name: bytes, member_start: re.Pattern[bytes]) -> Salvaged | None:
    """Return the members of the list, or None if no member is whole or the text is valid JSON.

    list_name: the field of the envelope that holds the list; empty for a list without one
    member_start: matches where a member can begin, to go on after damage
    """
    if _is_json(text):
        return None
    members: list[bytes] = []
    outside: list[bytes] = []
    fields: dict[bytes, bytes] = {}
    position = unread = 0
    while position < len(text):
        start = text.find(b"{", position)
        start = len(text) if start < 0 else start
        _sort_out(text[position:start], members, outside)
        end = _object_end(text, start) if start < len(text) else start
        if end is None or not _is_json(text[start:end]):
            limit = len(text) if end is None else end
            unread += limit - start
            following = (
                member_start.search(text, start + 1, limit)
                if unread <= _MAX_REREADING * len(text)
                else None
            )
            end = following.start() if following else limit
        piece = text[start:end].strip(WHITESPACE)
        if envelope := _read_envelope(piece, list_name):
            members += envelope.members
            fields |= envelope.fields
        elif _HEAD.fullmatch(piece):
            outside.append(piece)
        elif piece:
            members.append(piece)
        position = end
    fields |= _fields(b"".join(outside))
    return Salvaged(members, fields) if any(map(_is_json, members)) else None


def _sort_out(text: bytes, members: list[bytes], outside: list[bytes]) -> None:
    """Keep text between objects: the end of an envelope, or a piece of a damaged member."""
    rest = text.strip(_PUNCTUATION)
    if rest and (text.lstrip(WHITESPACE).startswith(b"]") or rest == b"["):
        outside.append(text)
    elif rest:
        members.append(rest)


def _object_end(text: bytes, start: int) -> int | None:
    """Return the position after the object that begins here, or None if it does not end."""
    try:
        return tolerant_json.value_end(text, start)
    except InvalidBatch:
        return None


def _is_json(text: bytes) -> bool:
    if not limits.is_nested_safely(text):
        return False
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _read_envelope(text: bytes, list_name: bytes) -> Salvaged | None:
    """Read a whole envelope among the members, such as the first of two bodies in one."""
    if not list_name or b'"%b"' % list_name not in text or not _is_json(text):
        return None
    fields = dict(tolerant_json.object_members(text))
    value = fields.pop(list_name, b"")
    if not value.startswith(b"["):
        return None
    return Salvaged(list(tolerant_json.split_members(value)), fields)


def _fields(text: bytes) -> dict[bytes, bytes]:
    """Return the fields of the envelope, whose list is empty now and may not be closed."""
    for ending in (b"", b"}", b"]}"):
        try:
            return dict(tolerant_json.object_members(text.strip(WHITESPACE + b"\0") + ending))
        except InvalidBatch:
            continue
    return {}
