"""Sanitizes untrusted values before they are inserted into a template. Pure.

A value becomes one line of limited length, without control characters. The template escapes the
values later.
"""

import re
from collections.abc import Mapping

MAX_TEXT = 2000
MAX_LIST = 200
MAX_DEPTH = 8
MAX_KEYS = 200

# Control characters, and characters that change the direction of the text around them, because a
# reversed text can mislead. Characters that join letters stay, because some languages need them.
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udfff]|[\U000e0000-\U000e007f]"
)
_WHITESPACE = re.compile(r"\s+")


def sanitize_line(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text as one line of at most `limit` characters, without control characters."""
    # Truncated first, so that the patterns do not search a very long text.
    start = text[: 2 * limit]
    clean = _WHITESPACE.sub(" ", _CONTROLS.sub("", start)).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def sanitize_values(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values for a template, sanitized, without those that are null or empty."""
    return _mapping(values, 0)


def _mapping(values: Mapping[str, object], depth: int) -> dict[str, object]:
    sanitized = {}
    for key in list(values)[:MAX_KEYS]:
        value = _value(values[key], depth + 1)
        if value is not None and value != "":
            sanitized[str(key)] = value
    return sanitized


def _value(value: object, depth: int) -> object:
    if isinstance(value, str):
        return sanitize_line(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list | tuple):
        return [_value(element, depth + 1) for element in value[:MAX_LIST]]
    return sanitize_line(str(value))
