"""Parse amounts of money that staff enter, and format amounts in the reader's language."""

from decimal import Decimal

from django.utils.translation import get_language

from butler.messages.filters import locale_for
from butler.messages.money import format_amount
from customers.values.amounts import read_amount

_LIMIT = Decimal(1_000_000)


def parse_amount(text: str, currency: str = "") -> Decimal | None:
    """Return an amount of a currency; None if the text is invalid, negative or too large."""
    amount = read_amount(text or "0", currency)
    is_amount = amount.value is not None and not amount.doubt and 0 <= amount.value < _LIMIT
    return amount.value if is_amount else None


def format_money(amount: str, currency: str) -> str:
    """Return an amount in the format of the reader's language; empty if the text is no amount."""
    number = read_amount(amount, currency).value
    if number is None:
        return ""
    return format_amount(number, currency, locale_for(get_language() or "en"))
