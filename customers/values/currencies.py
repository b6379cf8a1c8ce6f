"""The decimal places of currencies, by ISO 4217. Pure.

Babel's table is about cash: its króna and dinar of Iraq have no minor unit. Amounts of shops follow
ISO 4217, so this table lists the currencies of ISO 4217 that do not have two places.
"""

_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_PLACES_BY_CURRENCY = {
    currency: places for places, currencies in _PLACES.items() for currency in currencies.split()
}
# Signs that mean one currency. The signs of dollars, yen and kroner mean several.
CURRENCY_OF_SIGN = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "₺": "TRY",
    "₫": "VND",
    "zł": "PLN",
}


def decimal_places(currency: str) -> int:
    """Return the decimal places of a currency; 2 if it is unknown or empty."""
    return _PLACES_BY_CURRENCY.get(currency, 2)


def is_currency(text: str) -> bool:
    """Tell whether a text has the form of a currency code."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()
