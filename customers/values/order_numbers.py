"""The number of an order as its source sent it, and as Butler shows it. Pure.

An order is the source that placed it, and its number. The first order with a number is shown as
`1001`, the second one as `1001·2`. A number that starts again each year is shown as `1001·2027`.
"""

import re

# Butler reads it as "-" in the numbers of sources.
MARK = "·"

# A place has at most three digits, a year has four.
_WITH_PLACE = re.compile(rf"(.+){MARK}[1-9][0-9]{{0,2}}", re.DOTALL)


def sent_number(number: str) -> str:
    """Return the number that the events of an order have: `1001` for `1001·2`."""
    shown = _WITH_PLACE.fullmatch(number)
    return shown[1] if shown else number


def shown_number(number: str, place: int) -> str:
    """Return how the order at this place among those with the number is shown."""
    return number if place == 1 else f"{number}{MARK}{place}"


def number_of_year(number: str, year: int) -> str:
    """Return a number that starts again each year, with its year."""
    return number if MARK in number else f"{number}{MARK}{year}"


def without_mark(number: str) -> str:
    """Return the number of a source without the mark of Butler's own numbers."""
    return number.replace(MARK, "-")
