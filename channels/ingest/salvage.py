"""Take apart what no decoder accepts, at its brackets and commas, in one pass. Pure."""

import re
from collections.abc import Iterator

from channels.ingest import limits

# Brackets, commas and strings of 2,500 ordinary events; half a second of work.
MAX_TOKENS = 1_000_000
BLANK = b" \t\r\n"

_TOKEN = re.compile(limits.STRING + rb'|[][{},"]', re.DOTALL)
_STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1, ord(","): 0}
_COMMA = ord(",")


class NotABatch(Exception):
    """Nothing in it can be told apart: no JSON, or no list of events."""


def pairs(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the keys, escapes untouched, and the raw values of an object."""
    for member in members(text):
        token = _TOKEN.match(member)
        end = token.end() if token else 0
        after = member[end:].lstrip(BLANK)
        if end and after.startswith(b":"):
            yield member[:end].strip(b'"'), after[1:].strip(BLANK)


def members(text: bytes) -> Iterator[bytes]:
    """Give what stands between the commas of the outermost brackets.

    Reads brackets and strings only, so it finds its way past values that no decoder takes.
    Raises NotABatch where the brackets do not end with the text.
    """
    depth, start = 0, 1
    for place, mark in _marks(text):
        depth += _STEP[mark]
        if depth == 0 or (depth == 1 and mark == _COMMA):
            if member := text[start:place].strip(BLANK):
                yield member
            start = place + 1
        if depth == 0:
            break
    if depth or text[start:].strip(BLANK):
        raise NotABatch("the brackets do not match")


def _marks(text: bytes) -> Iterator[tuple[int, int]]:
    """Give place and byte of every bracket and comma outside strings."""
    for count, token in enumerate(_TOKEN.finditer(text)):
        place = token.start()
        mark = text[place]
        if mark in _STEP:
            yield place, mark
        elif token.end() - place == 1:
            raise NotABatch("a string never ends")
        if count > MAX_TOKENS:
            raise NotABatch("there is no end to it")
