"""Split text that no JSON decoder accepts, at its brackets and commas, in one pass. Pure.

Regular expressions skip strings, innermost pairs of brackets and everything else that is no
bracket. Python takes one step for each run of other brackets and for each comma between members.
"""

import re
from collections.abc import Iterator

from channels.ingest import limits

# Steps of one pass. The largest body has room for so many brackets in ordinary events.
MAX_STEPS = limits.MAX_BRACKETS
WHITESPACE = b" \t\r\n"

_STRING = re.compile(limits.STRING, re.DOTALL)
# Possessive: a byte is read twice at most, once more where it is in a pair that is no innermost.
_FLAT = rb'(?:[^][{}"]++|' + limits.STRING + rb")*+"
_PAIR = rb"[\[{]" + _FLAT + rb"[]}]"
_TO_BRACKET = re.compile(rb'(?:[^][{}"]++|' + limits.STRING + rb"|" + _PAIR + rb")*+", re.DOTALL)
_TO_COMMA = re.compile(rb'(?:[^][{},"]++|' + limits.STRING + rb"|" + _PAIR + rb")*+", re.DOTALL)
_OPENING = re.compile(rb"[\[{]++")
_CLOSING = re.compile(rb"[]}]++")
_COMMA = ord(",")


class InvalidBatch(Exception):
    """The body is no JSON, or no list of events."""


def object_members(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys, escapes untouched, and the raw values of an object."""
    for member in split_members(text):
        token = _STRING.match(member)
        end = token.end() if token else 0
        after = member[end:].lstrip(WHITESPACE)
        if end and after.startswith(b":"):
            yield member[:end].strip(b'"'), after[1:].strip(WHITESPACE)


def split_members(text: bytes) -> Iterator[bytes]:
    """Yield what stands between the commas of the outermost brackets.

    The text begins with a bracket. Reads brackets and strings only, so it finds its way past
    values that no decoder takes. Raises InvalidBatch where the brackets do not end with the text,
    or where that takes more than MAX_STEPS.
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
    if depth or text[start:].strip(WHITESPACE):
        raise InvalidBatch("the brackets do not match, or there are too many")


def _find_delimiter(text: bytes, position: int, depth: int) -> int:
    """Return the position of the next bracket that ends no innermost pair, or comma at depth 1."""
    match = (_TO_COMMA if depth == 1 else _TO_BRACKET).match(text, position)
    assert match is not None  # both expressions match the empty text
    end = match.end()
    if end == len(text):
        raise InvalidBatch("the brackets do not match")
    if text[end] == ord('"'):
        raise InvalidBatch("a string never ends")
    return end


def _pass_delimiter(text: bytes, position: int, depth: int) -> tuple[int, int]:
    """Go over a comma, or over brackets of one direction; return the position and depth after it.

    Closing brackets are passed together down to depth 2: what closes a member is a step.
    """
    if text[position] == _COMMA:
        return position + 1, depth
    if match := _OPENING.match(text, position):
        return match.end(), depth + match.end() - position
    match = _CLOSING.match(text, position, max(position + 1, position + depth - 2))
    assert match is not None  # nothing else ends what is skipped
    return match.end(), depth - match.end() + position
