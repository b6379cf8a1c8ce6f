"""Split invalid JSON text at its brackets and commas in one pass. Pure.

Regular expressions skip strings, innermost pairs of brackets and all other text that is not a
bracket. Python takes one step for each run of other brackets and for each comma between members.
"""

import re
from collections.abc import Iterator

from channels.ingest import limits

# The largest number of steps of one pass. The largest body of ordinary events needs fewer.
MAX_STEPS = limits.MAX_BRACKETS
WHITESPACE = b" \t\r\n"

_STRING = re.compile(limits.STRING, re.DOTALL)
# Possessive quantifiers: a byte is read at most twice, or three times inside of an outer pair.
_FLAT = rb'(?:[^][{}"]++|' + limits.STRING + rb")*+"
_PAIR = rb"[\[{]" + _FLAT + rb"[]}]"
_TO_BRACKET = re.compile(rb'(?:[^][{}"]++|' + limits.STRING + rb"|" + _PAIR + rb")*+", re.DOTALL)
_TO_COMMA = re.compile(rb'(?:[^][{},"]++|' + limits.STRING + rb"|" + _PAIR + rb")*+", re.DOTALL)
_OPENING = re.compile(rb"[\[{]++")
_CLOSING = re.compile(rb"[]}]++")
_COMMA = ord(",")


class InvalidBatch(Exception):
    """The body is not JSON, or not a list of events."""


class TooManySteps(InvalidBatch):
    """The body has more brackets than a batch of ordinary events."""


def object_members(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the raw keys (with their escapes) and the raw values of an object."""
    for member in split_members(text):
        token = _STRING.match(member)
        end = token.end() if token else 0
        after = member[end:].lstrip(WHITESPACE)
        if end and after.startswith(b":"):
            yield member[:end].strip(b'"'), after[1:].strip(WHITESPACE)


def split_members(text: bytes) -> Iterator[bytes]:
    """Yield the texts between the commas of the outermost brackets.

    The text begins with a bracket. The function reads only brackets and strings, so it can pass
    values that a decoder refuses. Raises InvalidBatch if the brackets do not end with the text, or
    if the pass takes more than MAX_STEPS steps.
    """
    depth = start = position = 1
    for _ in range(MAX_STEPS):
        position = _find_delimiter(text, position, depth)
        if text[position] == _COMMA or (depth == 1 and text[position] in b"]}"):
            if member := text[start:position].strip(WHITESPACE):
                yield member
            start = position + 1
        position, depth = _pass_delimiter(text, position, depth)
        if depth == 0:
            break
    else:
        raise TooManySteps("there are too many brackets")
    if text[start:].strip(WHITESPACE):
        raise InvalidBatch("the brackets do not match")


def value_end(text: bytes, start: int, max_steps: int) -> tuple[int | None, int]:
    """Return the position after the value that begins with the bracket at `start`, and the steps.

    The position is None if the brackets of the value are not closed, or not within these steps.
    """
    position, depth = start + 1, 1
    for step in range(max_steps):
        try:
            # At depth 1 a pass would stop at each comma, which says nothing about the end.
            position = _find_delimiter(text, position, 2)
        except InvalidBatch:
            return None, step + 1
        position, depth = _pass_delimiter(text, position, depth)
        if depth == 0:
            return position, step + 1
    return None, max_steps


def _find_delimiter(text: bytes, position: int, depth: int) -> int:
    """Return the position of the next bracket outside of innermost pairs, or comma at depth 1."""
    match = (_TO_COMMA if depth == 1 else _TO_BRACKET).match(text, position)
    assert match is not None  # both expressions match the empty text
    end = match.end()
    if end == len(text):
        raise InvalidBatch("the brackets do not match")
    if text[end] == ord('"'):
        raise InvalidBatch("a string is not closed")
    return end


def _pass_delimiter(text: bytes, position: int, depth: int) -> tuple[int, int]:
    """Pass a comma, or brackets of one direction, and return the position and the depth after it.

    One step passes several closing brackets down to depth 2. The bracket that closes a member
    takes a separate step.
    """
    if text[position] == _COMMA:
        return position + 1, depth
    if match := _OPENING.match(text, position):
        return match.end(), depth + match.end() - position
    match = _CLOSING.match(text, position, max(position + 1, position + depth - 2))
    assert match is not None  # the delimiter is a comma, an opening or a closing bracket
    return match.end(), depth - match.end() + position
