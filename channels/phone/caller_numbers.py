"""Reads the number of the other party of a call as telephone systems write it. Pure."""

import re
from typing import NamedTuple
from urllib.parse import unquote

from customers.identity.normalize import normalize

_SCHEME = re.compile(r"(?P<scheme>sips?|tel|callto):", re.IGNORECASE)
_DISPLAY_NAME = re.compile(r"""\s*"?(?P<name>[^"<]*?)"?\s*<(?P<address>[^<>]+)>""")
_CONTEXT = re.compile(r";phone-context=(?P<prefix>\+\d{1,7})", re.IGNORECASE)
_SPELLED_BY_KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_WITHHELD_WORDS = frozenset(
    {"anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld"}
)
# Twilio sends the keys of these words as the number of a caller who withheld it.
_WITHHELD_NUMBERS = frozenset(word.translate(_SPELLED_BY_KEYS) for word in _WITHHELD_WORDS)


class OtherParty(NamedTuple):
    """The other party of a call."""

    # In the form of E.164; empty if it is withheld, or if it is no telephone number.
    number: str = ""
    display_name: str = ""
    # The text that staff see instead of a number, such as the number of an extension.
    text: str = ""


def read_other_party(text: str, region: str) -> OtherParty:
    """Return the other party of a call.

    text: a number, a `sip:` or `tel:` address, or one of them in <> after a display name
    region: the country of numbers without a country code (ISO 3166 alpha-2)
    """
    name = ""
    if match := _DISPLAY_NAME.match(text):
        name, text = match["name"].strip(), match["address"]
    user = _user_part(text)
    if _is_withheld(user):
        return OtherParty()
    number = normalize("phone", to_international(user), region)
    return OtherParty(number or "", "" if _is_withheld(name) else name, user)


def to_international(number: str) -> str:
    """Return a number with the plus sign that telephone systems leave out or a form loses.

    A number of eleven or more digits that does not start with a zero has its country code. In the
    body of a form, a plus sign that is not encoded becomes a space.
    """
    digits = number.strip()
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    is_whole = digits.isdecimal() and not digits.startswith("0")
    if is_whole and (len(digits) > 10 or number.startswith(" ")):
        return f"+{digits}"
    return digits


def _user_part(text: str) -> str:
    """Return the number or the user of a `sip:` or `tel:` address, and other texts unchanged."""
    scheme = _SCHEME.match(text.strip())
    if scheme is None:
        return text.rstrip()
    address = unquote(text.strip()[scheme.end() :])
    user = re.split("[@;?]", address, maxsplit=1)[0].partition(":")[0]
    context = _CONTEXT.search(address)
    return f"{context['prefix']}{user}" if context and not user.startswith("+") else user


def _is_withheld(text: str) -> bool:
    words = re.findall(r"[a-z]+", text.lower())
    return (
        not text.strip()
        or not _WITHHELD_WORDS.isdisjoint(words)
        or text.strip().removeprefix("+") in _WITHHELD_NUMBERS
    )
