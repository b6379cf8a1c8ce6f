"""Format amounts of money in a language. Pure."""

from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern, parse_pattern

from customers.values.currencies import decimal_places


def format_amount(amount: Decimal, currency: str, locale: Locale) -> str:
    """Return an amount with the decimal places of its currency, such as "€ 80,00" or "￥ 1.000".

    Without a currency, the amount has two decimal places and no sign.
    """
    pattern = _pattern(locale, currency)
    return str(pattern.apply(amount, locale, currency=currency or None))


@lru_cache(maxsize=256)
def _pattern(locale: Locale, currency: str) -> NumberPattern:
    form = locale.currency_formats["standard"].pattern if currency else "#,##0.00"
    pattern = parse_pattern(form)
    places = decimal_places(currency)
    pattern.frac_prec = (places, places)
    return pattern
