"""The path converter of order numbers: as the source wrote them, with any characters.

Servers decode %2F before anybody here reads the path, and browsers climb at `..`. What is of an
order is therefore routed before the order itself, and what we write ourselves says ~2F and ~2E:
so the order `A/cancel` is never the order `A`, to be cancelled.
"""

import re

from django.urls import register_converter
from django.urls.converters import StringConverter

_WRITTEN = re.compile(r"~(2E|2F|7E)")
_READ_AS_WRITTEN = re.compile(r"~(?=2E|2F|7E)")


class NumberConverter(StringConverter):
    """Any text at all, slashes too: what links to it must never fail to be written."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return _WRITTEN.sub(lambda sign: chr(int(sign[1], 16)), value)

    def to_url(self, value: object) -> str:
        text = _READ_AS_WRITTEN.sub("~7E", str(value)).replace("/", "~2F")
        return text.replace(".", "~2E") if text in (".", "..") else text


register_converter(NumberConverter, "number")
