"""Which period of an address an event belongs to. Pure.

A period ends when the address leaves its record, or by an erasure. The next one starts empty.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Period(NamedTuple):
    """A period after the first one, which has the number 0 and no start."""

    starts_at: datetime
    number: int


def period_at(periods: Iterable[Period], moment: datetime) -> int:
    """Return the number of the period in which a moment lies."""
    begun = [period for period in periods if period.starts_at <= moment]
    return max(begun).number if begun else 0
