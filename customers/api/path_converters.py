"""The path converter of order numbers, which may contain any characters.

Servers decode %2F before Django reads the path, and browsers resolve `..`. Therefore the longer
paths of an order precede the path of the order, and Butler writes ~2F and ~2E in its own links. So
a link to the order `A/cancel` is never read as the action "cancel" on the order `A`.
"""

import re

from django.urls import register_converter
from django.urls.converters import StringConverter

_WRITTEN = re.compile(r"~(2E|2F|7E)")
_READ_AS_WRITTEN = re.compile(r"~(?=2E|2F|7E)")


class NumberConverter(StringConverter):
    """Any text, including slashes. Butler can write a link for each order number."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """Return the order number: decode ~2E, ~2F and ~7E to `.`, `/` and `~`."""
        return _WRITTEN.sub(lambda sign: chr(int(sign[1], 16)), value)

    def to_url(self, value: object) -> str:
        """Encode each `/`, each `~` before one of these codes, and the numbers `.` and `..`."""
        text = _READ_AS_WRITTEN.sub("~7E", str(value)).replace("/", "~2F")
        return text.replace(".", "~2E") if text in (".", "..") else text


register_converter(NumberConverter, "number")
