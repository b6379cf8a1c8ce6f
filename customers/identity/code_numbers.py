"""Decides which phone numbers get codes by SMS. Pure.

A code goes to mobile numbers only. Calls and SMS to other numbers may cost money that the owner of the
number earns, and landlines cannot read a code.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

from customers.identity.non_identifiers import without_invisible
from customers.identity.normalize import normalize

# Some countries, such as the United States, do not tell mobile numbers from landlines.
_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_MAX_LENGTH = 40
# Digits of any script, and the characters between them. Letters would be read as the digits on their
# keys, so that a mistyped name gets a code; an extension would be lost.
_CHARACTERS = re.compile(r"[\d\s+\uff0b()./\u2010-\u2015-]+")


class NotANumber(ValueError):
    """The text is no phone number."""


class NoCodeNumber(ValueError):
    """The number gets no codes, whoever has it: it is no mobile number, or of a country without codes."""


class CodeNumber(NamedTuple):
    """A phone number in the international form, and the calling code of its country."""

    value: str
    country_code: int


def code_number(text: str, *, region: str, prefixes: Sequence[str] = ()) -> CodeNumber:
    """Return the number to which a code goes. Raises NotANumber or NoCodeNumber.

    region: the country of numbers without a country code (ISO 3166 alpha-2)
    prefixes: the beginnings of the numbers that get codes, such as +31; empty for all
    """
    text = without_invisible(text).strip()
    if len(text) > _MAX_LENGTH or not _CHARACTERS.fullmatch(text):
        raise NotANumber
    value = normalize("phone", text, region)
    if value is None:
        raise NotANumber
    number = phonenumbers.parse(value)
    if not phonenumbers.is_valid_number(number):
        raise NoCodeNumber
    if phonenumbers.number_type(number) not in _MOBILE_TYPES:
        raise NoCodeNumber
    if prefixes and not value.startswith(tuple(prefixes)):
        raise NoCodeNumber
    return CodeNumber(value, number.country_code or 0)


def country_code_of(region: str) -> int:
    """Return the calling code of a country, such as 31 for NL."""
    return phonenumbers.country_code_for_region(region)
