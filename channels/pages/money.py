"""Parse amounts of money, and format them in the reader's language."""

from decimal import Decimal, InvalidOperation

from babel.numbers import format_currency, format_decimal
from django.utils.translation import get_language

from butler.messages.filters import locale_for

_LIMIT = Decimal(1_000_000)
_CENT = Decimal("0.01")


def parse_amount(text: str) -> Decimal | None:
    """Return an amount with two decimals; None if the text is invalid, negative or too large."""
    try:
        amount = Decimal(text or "0")
    except InvalidOperation:
        return None
    is_amount = amount.is_finite() and 0 <= amount < _LIMIT and amount == round(amount, 2)
    return round(amount, 2) if is_amount else None


def format_money(amount: str, currency: str) -> str:
    """Return an amount in the format of the reader's language; empty if the text is no amount."""
    try:
        number = Decimal(amount).quantize(_CENT)
    except InvalidOperation:
        return ""
    if not number.is_finite():
        return ""
    language = locale_for(get_language() or "en")
    if not currency:
        return format_decimal(number, "#,##0.00", locale=language)
    return format_currency(number, currency, locale=language)
