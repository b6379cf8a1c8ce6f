"""Read the whole members at the front of a list whose rest is damaged. Pure.

Clients throw a batch away when it is refused. Some write their queue to files, and send half an
event at the end, two files in one, or a lost comma (segmentio/analytics-ios 1072, analytics-swift
266 and 320, Analytics-CSharp 61, jitsu 756).

Only objects that stand directly in the list are members. After the first damage, brackets and
quotes prove nothing any more: text inside an event could pass for an event. The rest is one piece.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from channels.ingest import limits, tolerant_json
from channels.ingest.tolerant_json import WHITESPACE, InvalidBatch, TooManySteps

_SEPARATORS = re.compile(rb"[ \t\r\n\0,]*+")
_BETWEEN_OBJECTS = re.compile(rb"\}\s*+\{")


class RawList(NamedTuple):
    """The raw members of a list, and the raw fields of the envelope around it.

    The last member of a salvaged list may be a damaged piece.
    """

    members: list[bytes]
    fields: dict[bytes, bytes]


def parse_or_salvage(
    parse: Callable[[bytes], RawList], text: bytes, *, list_name: bytes, max_members: int
) -> RawList:
    """Return what `parse` reads, or the members in front of the damage.

    Raises InvalidBatch if the text is valid JSON of another shape or has no whole member.
    """
    try:
        return parse(text)
    except TooManySteps:
        raise
    except InvalidBatch:
        salvaged = salvage(text, list_name=list_name, max_members=max_members)
        if salvaged is None:
            raise
        return salvaged


def salvage(text: bytes, *, list_name: bytes, max_members: int) -> RawList | None:
    """Return the members of a damaged list; None if the text is valid JSON or no member is whole.

    list_name: the field of the envelope that holds the list; empty for a list without one
    max_members: stop after one more than these; the caller refuses so many
    """
    head = re.match(rb'\{[^][{}]*"%b"\s*+:\s*+\[' % list_name if list_name else rb"\[", text)
    if head is None or _is_json(text):
        return None
    members, position = _front_members(text, head.end(), max_members)
    # The text before the list is undamaged.
    fields = dict(tolerant_json.object_members(head.group() + b"]}")) if list_name else {}
    if text[position : position + 1] == b"]":
        after, position = _envelope(head.group(), text, position, list_name)
        fields |= after
    if not members:
        return None
    if rest := text[position:].strip(WHITESPACE + b"\0"):
        members += _second_body(rest, fields, list_name, max_members) or [rest]
    return RawList(members, fields)


def adjacent_objects(member: bytes, max_members: int) -> list[bytes]:
    """Return the objects of a member that lacks the commas between them, or the member alone."""
    if not _BETWEEN_OBJECTS.search(member) or _is_json(member):
        return [member]
    objects, position = _front_members(member, 0, max_members)
    return objects if position == len(member) or len(objects) > max_members else [member]


def _front_members(text: bytes, position: int, max_members: int) -> tuple[list[bytes], int]:
    """Return the whole objects from here on, and the position of the first text that is none."""
    members: list[bytes] = []
    remaining_steps = tolerant_json.MAX_STEPS
    while len(members) <= max_members:
        match = _SEPARATORS.match(text, position)
        position = match.end() if match else position
        if text[position : position + 1] != b"{":
            break
        end, steps = tolerant_json.value_end(text, position, remaining_steps)
        remaining_steps -= steps
        if end is None or not _is_json(text[position:end]):
            break
        members.append(text[position:end])
        position = end
    return members, position


def _envelope(
    head: bytes, text: bytes, position: int, list_name: bytes
) -> tuple[dict[bytes, bytes], int]:
    """Return the fields around the list that ends here, and the position after the envelope."""
    if not list_name:
        return {}, position + 1
    envelope = head + text[position:]
    end, _ = tolerant_json.value_end(envelope, 0, tolerant_json.MAX_STEPS)
    if end is None:
        return {}, position
    try:
        fields = dict(tolerant_json.object_members(envelope[:end]))
    except InvalidBatch:
        return {}, position
    return fields, position + end - len(head)


def _second_body(
    text: bytes, fields: dict[bytes, bytes], list_name: bytes, max_members: int
) -> list[bytes] | None:
    """Return the members of a whole second body that names no other key than the first one."""
    if not list_name or not _is_json(text):
        return None
    second = dict(tolerant_json.object_members(text)) if text.startswith(b"{") else {}
    value = second.get(list_name, b"")
    if second.get(b"writeKey") not in (None, fields.get(b"writeKey")) or value[:1] != b"[":
        return None
    members, _ = _front_members(value, 1, max_members)
    return members


def _is_json(text: bytes) -> bool:
    if not limits.is_nested_safely(text):
        return False
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
