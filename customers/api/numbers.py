"""How an order is named in an address: as its source named it, whatever signs that has.

What is of an order is routed before the order itself, and more than once named first: a number
may have slashes in it, and servers decode them before anybody here reads the path.
"""

from django.urls import register_converter
from django.urls.converters import StringConverter


class NumberConverter(StringConverter):
    """Any text at all, slashes too: what links to it must never fail to be written."""

    regex = r"[\s\S]+"


register_converter(NumberConverter, "number")
