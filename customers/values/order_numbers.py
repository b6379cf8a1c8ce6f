"""The number of an order as its source sent it, and as Butler shows it. Pure.

An order is the source that placed it, and its number. The first order with a number is shown as
`1001`, the second one as `1001·2`. A number that starts again each year is shown as `1001·2027`.
"""

import re

# Before the place or the year. In the numbers of sources, Butler replaces it by "-".
SUFFIX_SEPARATOR = "·"

# A place has at most three digits, a year has four.
_WITH_PLACE = re.compile(rf"(.+){SUFFIX_SEPARATOR}[1-9][0-9]{{0,2}}", re.DOTALL)


def sent_number(number: str) -> str:
    """Return the number that the events of an order have: `1001` for `1001·2`."""
    shown = _WITH_PLACE.fullmatch(number)
    return shown[1] if shown else number


def shown_number(number: str, place: int) -> str:
    """Return the number that an order shows, from its place among the orders with the number."""
    return number if place == 1 else f"{number}{SUFFIX_SEPARATOR}{place}"


def number_of_year(number: str, year: int) -> str:
    """Return a number with its year: `1001·2027`. A number that has a suffix does not change."""
    return number if SUFFIX_SEPARATOR in number else f"{number}{SUFFIX_SEPARATOR}{year}"


def without_separator(number: str) -> str:
    """Return the number of a source, with "-" for the separator of Butler's own suffixes."""
    return number.replace(SUFFIX_SEPARATOR, "-")
