"""Read amounts of money and quantities that sources state. Pure.

A spelling with one meaning is read. A spelling with two meanings, such as "1.234" euro, is a doubt:
Butler invents no number.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from customers.values.currencies import CURRENCY_OF_SIGN, decimal_places, is_currency
from customers.values.readings import Reading

UNREADABLE_AMOUNT = "unreadable_amount"
AMBIGUOUS_AMOUNT = "ambiguous_amount"
ROUNDED_AMOUNT = "rounded_amount"
OTHER_CURRENCY = "other_currency"
UNREADABLE_QUANTITY = "unreadable_quantity"

# Amounts from here on are mistakes.
_LIMIT = Decimal(10) ** 12
_QUANTITY_LIMIT = 10**9
# A float has noise behind its digits, such as 0.1 + 0.2. It is no reason for a doubt.
_NOISE = Decimal("0.000001")

# The common spelling.
_CENTS = re.compile(r"-?[0-9]{1,12}\.[0-9]{2}")
_PLAIN = re.compile(r"[+-]?[0-9]{1,15}\.[0-9]{1,2}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_EXPONENT = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?[eE][+-]?[0-9]{1,2}")
# A sign, which may be an abbreviation such as "kr.", before or behind a number.
_AFFIXED = re.compile(
    r"([^0-9.,+-]*[^\W\d_]\.|[^0-9.,+-]*)([+-]?)([^0-9.,+-]*[^\W\d_]\.|[^0-9.,+-]*)"
    r"([0-9.,'’\s]*[0-9.,])(-?)([^0-9]*)"
)
_SEPARATORS = re.compile(r"[.,'’\s]")
_GROUPS = re.compile(r"[0-9]{1,3}([.,'’\s])[0-9]{3}(?:\1[0-9]{3})*")
# The lakhs and crores of India: 12,34,567.
_INDIAN_GROUPS = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}")
_QUANTITY = re.compile(r"[+-]?[0-9]{1,9}(?:[.,]0{1,2})?")
# Signs of several currencies, which say that a number is an amount, and nothing else.
_VAGUE_SIGNS = frozenset(
    {"kr", "kr.", "rs", "rs.", "r$", "us$", "a$", "c$", "kč", "ft", "lei", "fr", "fr."}
)

_MINOR_UNITS = frozenset(
    {"cent", "cents", "minor", "minor_unit", "minor_units", "pence", "øre", "öre"}
)


class StatedAmount(NamedTuple):
    """An amount and the currency that is stated with it, or the doubt about it."""

    value: Decimal | None = None
    currency: str = ""
    doubt: str = ""


def is_minor_unit(unit: object) -> bool:
    """Tell whether a declared unit is the smallest one of a currency, such as cents."""
    return isinstance(unit, str) and unit.strip().lower() in _MINOR_UNITS


def read_amount(value: object, currency: str = "", *, is_minor: bool = False) -> StatedAmount:
    """Return an amount with the decimal places of its currency.

    currency: the currency of the whole, if it is known. An amount in another one is a doubt
    is_minor: the source declared that its amounts are in the smallest unit, such as cents
    """
    if type(value) is str:
        return _read_text(value, currency, is_minor=is_minor)
    if value is None:
        return StatedAmount()
    if type(value) is int or type(value) is float or isinstance(value, Decimal):
        return _finish(
            Decimal(str(value)), currency, is_minor=is_minor, is_exact=type(value) is not float
        )
    if isinstance(value, Mapping):
        return _read_object(value, currency, is_minor=is_minor)
    return StatedAmount(doubt=UNREADABLE_AMOUNT)


def read_quantity(value: object) -> Reading[int]:
    """Return a whole number; returned products have a negative one."""
    if type(value) is int and -_QUANTITY_LIMIT < value < _QUANTITY_LIMIT:
        return Reading(value)
    if value is None or value == "":
        return Reading()
    if type(value) is str and _QUANTITY.fullmatch(text := value.strip()):
        return Reading(int(re.split("[.,]", text)[0]))
    if (
        (type(value) is int or type(value) is float)
        and abs(value) < _QUANTITY_LIMIT
        and value == value // 1
    ):
        return Reading(int(value))
    return Reading(doubt=UNREADABLE_QUANTITY)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Return the amount with the decimal places of its currency."""
    return amount.quantize(_UNITS[decimal_places(currency)], ROUND_HALF_UP)


# The smallest unit of a currency, by its decimal places.
_UNITS = {places: Decimal(1).scaleb(-places) for places in range(5)}


def _read_object(fields: Mapping[str, object], currency: str, *, is_minor: bool) -> StatedAmount:
    """Read an object with an amount and its currency, as payment services write it."""
    if isinstance(fields.get("shop_money"), Mapping):
        # Shopify states the amount in the currency of the shop and in that of the customer.
        return read_amount(fields["shop_money"], currency, is_minor=is_minor)
    own = next((fields[name] for name in _CURRENCY_FIELDS if fields.get(name)), "")
    own = own.strip().upper() if isinstance(own, str) else ""
    if own and currency and own != currency:
        return StatedAmount(doubt=OTHER_CURRENCY)
    is_minor = is_minor or is_minor_unit(fields.get("unit")) or "unit_amount" in fields
    for name in ("amount", "value", "unit_amount"):
        if name in fields and not isinstance(fields[name], Mapping):
            amount = read_amount(fields[name], own or currency, is_minor=is_minor)
            return amount._replace(currency=own if is_currency(own) else amount.currency)
    return StatedAmount(doubt=UNREADABLE_AMOUNT)


_CURRENCY_FIELDS = ("currency", "currency_code", "currencyCode")


def _read_text(text: str, currency: str, *, is_minor: bool) -> StatedAmount:
    if _CENTS.fullmatch(text) and not is_minor and decimal_places(currency) == 2:
        return StatedAmount(Decimal(text))
    text = text.strip()
    if not text:
        return StatedAmount()
    if _PLAIN.fullmatch(text) or _WHOLE.fullmatch(text) or _EXPONENT.fullmatch(text):
        return _finish(Decimal(text), currency, is_minor=is_minor)
    match = _AFFIXED.fullmatch(text.replace("\u2212", "-")) if len(text) <= 40 and text else None
    if match is None:
        return StatedAmount(doubt=UNREADABLE_AMOUNT)
    before, sign, between, digits, minus, after = match.groups()
    if (own := _stated_currency(before + between, after)) is None or (sign and minus):
        return StatedAmount(doubt=UNREADABLE_AMOUNT)
    if own and currency and own != currency:
        return StatedAmount(doubt=OTHER_CURRENCY)
    number = _read_number(digits.strip(), own or currency)
    if isinstance(number, str):
        return StatedAmount(doubt=number)
    # In the Netherlands, "39,-" has no cents.
    is_negative = sign == "-" or (minus == "-" and digits[-1] not in ".,")
    return _finish(-number if is_negative else number, own or currency, is_minor=is_minor)._replace(
        currency=own
    )


def _stated_currency(before: str, after: str) -> str | None:
    """Return the currency of the signs around a number; empty if they name none, None if unknown."""
    affixes = [affix for affix in (before.strip(), after.strip()) if affix]
    if len(affixes) > 1:
        return None
    if not affixes:
        return ""
    affix = affixes[0]
    if affix in CURRENCY_OF_SIGN:
        return CURRENCY_OF_SIGN[affix]
    if is_currency(affix.upper()):
        return affix.upper()
    is_sign = len(affix) == 1 and unicodedata.category(affix) == "Sc"
    return "" if is_sign or affix.lower() in _VAGUE_SIGNS else None


def _read_number(text: str, currency: str) -> Decimal | str:
    """Return the number of a text of digits and separators, or the doubt about it."""
    separators = _SEPARATORS.findall(text)
    if not separators:
        return Decimal(text)
    last, others = separators[-1], set(separators[:-1])
    if others - {last}:
        return _read_grouped(text, last, separators)
    if len(separators) > 1 or last not in ".,":
        is_grouped = _GROUPS.fullmatch(text) or _INDIAN_GROUPS.fullmatch(text)
        return _join(text) if is_grouped else UNREADABLE_AMOUNT
    whole, _, fraction = text.partition(last)
    is_decimal = last == "." and decimal_places(currency) == 3
    if len(fraction) == 3 and 0 < len(whole) <= 3 and whole[0] != "0" and not is_decimal:
        return AMBIGUOUS_AMOUNT
    return _join(whole or "0", fraction) if whole or fraction else UNREADABLE_AMOUNT


def _read_grouped(text: str, decimal_sign: str, separators: list[str]) -> Decimal | str:
    """Return a number with groups of thousands and a decimal sign, such as 1,234.50."""
    whole, _, fraction = text.rpartition(decimal_sign)
    is_grouped = _GROUPS.fullmatch(whole) or _INDIAN_GROUPS.fullmatch(whole)
    if decimal_sign not in ".," or len(set(separators)) != 2 or not is_grouped:
        return UNREADABLE_AMOUNT
    return _join(whole, fraction)


def _join(whole: str, fraction: str = "") -> Decimal:
    return Decimal(f"{_SEPARATORS.sub('', whole)}.{fraction or '0'}")


def _finish(
    amount: Decimal, currency: str, *, is_minor: bool, is_exact: bool = True
) -> StatedAmount:
    """Return the amount in its currency, with a doubt if that rounds it."""
    if not amount.is_finite() or abs(amount) >= _LIMIT:
        return StatedAmount(doubt=UNREADABLE_AMOUNT)
    if is_minor:
        if amount != amount.to_integral_value():
            return StatedAmount(doubt=UNREADABLE_AMOUNT)
        amount = amount.scaleb(-decimal_places(currency))
    rounded = round_amount(amount, currency)
    error = abs(rounded - amount)
    is_rounded = error > (0 if is_exact else _NOISE)
    return StatedAmount(rounded, doubt=ROUNDED_AMOUNT if is_rounded else "")
