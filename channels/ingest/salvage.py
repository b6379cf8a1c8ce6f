"""Take apart what no decoder accepts, at its brackets and commas, in one pass. Pure.

Regular expressions skip strings, innermost pairs of brackets and everything else that is no
bracket. Python takes one step for each run of other brackets and for each comma between members.
"""

import re
from collections.abc import Iterator

from channels.ingest import limits

# Steps of one pass. The largest body has room for so many brackets in ordinary events.
MAX_STEPS = limits.MAX_BRACKETS
BLANK = b" \t\r\n"

_STRING = re.compile(limits.STRING, re.DOTALL)
# Possessive: a byte is read twice at most, once more where it is in a pair that is no innermost.
_FLAT = rb'(?:[^][{}"]++|' + limits.STRING + rb")*+"
_PAIR = rb"[\[{]" + _FLAT + rb"[]}]"
_TO_BRACKET = re.compile(rb'(?:[^][{}"]++|' + limits.STRING + rb"|" + _PAIR + rb")*+", re.DOTALL)
_TO_COMMA = re.compile(rb'(?:[^][{},"]++|' + limits.STRING + rb"|" + _PAIR + rb")*+", re.DOTALL)
_OPENING = re.compile(rb"[\[{]++")
_CLOSING = re.compile(rb"[]}]++")
_COMMA = ord(",")


class NotABatch(Exception):
    """Nothing in it can be told apart: no JSON, or no list of events."""


def pairs(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the keys, escapes untouched, and the raw values of an object."""
    for member in members(text):
        token = _STRING.match(member)
        end = token.end() if token else 0
        after = member[end:].lstrip(BLANK)
        if end and after.startswith(b":"):
            yield member[:end].strip(b'"'), after[1:].strip(BLANK)


def members(text: bytes) -> Iterator[bytes]:
    """Give what stands between the commas of the outermost brackets.

    The text begins with a bracket. Reads brackets and strings only, so it finds its way past
    values that no decoder takes. Raises NotABatch where the brackets do not end with the text,
    or where that takes more than MAX_STEPS.
    """
    depth = start = place = 1
    for _ in range(MAX_STEPS):
        place = _skip(text, place, depth)
        if text[place] == _COMMA or (depth == 1 and text[place] in b"]}"):
            if member := text[start:place].strip(BLANK):
                yield member
            start = place + 1
        place, depth = _step(text, place, depth)
        if depth == 0:
            break
    if depth or text[start:].strip(BLANK):
        raise NotABatch("the brackets do not match, or there are too many")


def _skip(text: bytes, place: int, depth: int) -> int:
    """Return the place of the next bracket that ends no innermost pair, or comma at depth 1."""
    match = (_TO_COMMA if depth == 1 else _TO_BRACKET).match(text, place)
    assert match is not None  # both expressions match the empty text
    end = match.end()
    if end == len(text):
        raise NotABatch("the brackets do not match")
    if text[end] == ord('"'):
        raise NotABatch("a string never ends")
    return end


def _step(text: bytes, place: int, depth: int) -> tuple[int, int]:
    """Go over a comma, or over brackets of one direction; return the place and depth after it.

    Closing brackets are passed together down to depth 2: what closes a member is a step.
    """
    if text[place] == _COMMA:
        return place + 1, depth
    if match := _OPENING.match(text, place):
        return match.end(), depth + match.end() - place
    match = _CLOSING.match(text, place, max(place + 1, place + depth - 2))
    assert match is not None  # nothing else ends what is skipped
    return match.end(), depth - match.end() + place
