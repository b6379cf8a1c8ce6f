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
_MAX_REREADING = 2
# The largest number of steps; a batch of 2,500 ordinary events takes about half of them.
_MAX_STEPS = 50_000
# What stands between members, and may stand around a list.
_PUNCTUATION = WHITESPACE + b"\0,]}"
# An envelope up to the list in it, of which the rest is damaged.
_HEAD = re.compile(rb'\{.*"\w+"\s*+:\s*+\[\s*+', re.DOTALL)


class Salvaged(NamedTuple):
    """The members, whole ones and damaged ones, and the fields of the envelope around them."""

    members: list[bytes]
    fields: dict[bytes, bytes]


def salvage(
    text: bytes, *, list_name: bytes, member_start: re.Pattern[bytes], max_members: int
) -> Salvaged | None:
    """Return the members of the list, or None if no member is whole or the text is valid JSON.

    list_name: the field of the envelope that holds the list; empty for a list without one
    member_start: matches where a member can begin, to go on after damage
    max_members: stop after one more than these; the caller refuses so many
    """
    if _is_json(text):
        return None
    reader = _Reader(text, list_name, member_start)
    position = 0
    while len(reader.members) <= max_members and (start := text.find(b"{", position)) >= 0:
        reader.read_between(text[position:start])
        position = reader.object_end(start)
        reader.read_object(text[start:position].strip(WHITESPACE))
    if len(reader.members) <= max_members:
        reader.read_between(text[position:])
    if not any(map(_is_json, reader.members)):
        return None
    return Salvaged(reader.members, reader.fields | _fields(b"".join(reader.outside)))


class _Reader:
    """What is read of a damaged text so far."""

    def __init__(self, text: bytes, list_name: bytes, member_start: re.Pattern[bytes]) -> None:
        self.members: list[bytes] = []
        self.outside: list[bytes] = []
        self.fields: dict[bytes, bytes] = {}
        self._text = text
        self._list_name = list_name
        self._member_start = member_start
        self._remaining_steps = _MAX_STEPS
        self._remaining_bytes = _MAX_REREADING * len(text)

    def object_end(self, start: int) -> int:
        """Return the position after the object that begins here, or before the next member."""
        end, steps = tolerant_json.value_end(self._text, start, self._remaining_steps)
        self._remaining_steps -= steps
        if end is not None and _is_json(self._text[start:end]):
            return end
        limit = len(self._text) if end is None else end
        self._remaining_bytes -= limit - start
        if self._remaining_steps <= 0 or self._remaining_bytes < 0:
            return limit
        following = self._member_start.search(self._text, start + 1, limit)
        return following.start() if following else limit

    def read_object(self, text: bytes) -> None:
        """Keep a member, whole or damaged, or the fields of an envelope."""
        if envelope := _read_envelope(text, self._list_name):
            self.members += envelope.members
            self.fields |= envelope.fields
        elif _HEAD.fullmatch(text):
            self.outside.append(text)
        else:
            self.members.append(text)

    def read_between(self, text: bytes) -> None:
        """Keep text between objects: the end of an envelope, or a piece of a damaged member."""
        rest = text.strip(_PUNCTUATION)
        if rest and (text.lstrip(WHITESPACE).startswith(b"]") or rest == b"["):
            self.outside.append(text)
        elif rest:
            self.members.append(rest)


def _is_json(text: bytes) -> bool:
    if not limits.is_nested_safely(text):
        return False
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
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
