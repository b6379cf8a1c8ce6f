"""How an order is named in an address: as its source named it, whatever signs that has."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class NumberConverter(StringConverter):
    """Any text at all, slashes too: what links to it must never fail to be written."""

    regex = r"[\s\S]+"


register_converter(NumberConverter, "number")
