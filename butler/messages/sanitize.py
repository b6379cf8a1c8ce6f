"""Makes what anybody may have sent harmless before it meets a text. Pure.

A name stays a name: on one line, of a length, and in the direction it is read. Escaping comes
later, where the value is put.
"""

import re
from collections.abc import Mapping

TEXT = 2000
LIST = 200
DEPTH = 8
KEYS = 200

# Controls, and what turns the direction of the text around it (a receipt that reads backwards
# lies); marks that join letters are part of how languages are written, and stay.
_HARMFUL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udfff]|[\U000e0000-\U000e007f]"
)
_BREAKS = re.compile(r"\s+")


def one_line(text: str, most: int = TEXT) -> str:
    """Return a text without line breaks, controls and turns of direction, not longer than most."""
    # Cut first: a megabyte of spaces is not worth looking through.
    cut = text[: 2 * most]
    clean = _BREAKS.sub(" ", _HARMFUL.sub("", cut)).strip()
    return clean if len(clean) <= most else clean[: most - 1].rstrip() + "…"


def inert(values: Mapping[str, object]) -> dict[str, object]:
    """Return values that texts can be filled with; what is null or empty is left out."""
    return _mapping(values, 0)


def _mapping(values: Mapping[str, object], depth: int) -> dict[str, object]:
    found = {}
    for key in list(values)[:KEYS]:
        value = _value(values[key], depth + 1)
        if value is not None and value != "":
            found[str(key)] = value
    return found


def _value(value: object, depth: int) -> object:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if depth > DEPTH:
        return None
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list | tuple):
        return [_value(one, depth + 1) for one in value[:LIST]]
    return one_line(str(value))
