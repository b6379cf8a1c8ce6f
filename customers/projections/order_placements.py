"""Tells whether events place the same order: time and lines agree. Pure.

A shop's server and its till may send the same sale, or one source may send it twice.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from customers.projections.order_statements import read_order

# Product, quantity and price.
type _Line = tuple[str, int | None, Decimal | None]


class Placement(NamedTuple):
    """The facts of an event that places an order."""

    occurred_at: datetime
    # Product, quantity and price of each line, sorted: clients name lines and their other fields
    # differently.
    lines: tuple[_Line, ...]

    def agrees_with(self, other: "Placement") -> bool:
        """Tell whether both events place one order. Without lines, nothing shows that."""
        return bool(self.lines) and self == other


def read_placement(properties: Mapping[str, object], occurred_at: datetime) -> Placement:
    """Return what an event with these properties places."""
    lines = [
        (line.product or line.id, line.quantity, line.unit_price)
        for line in read_order(properties, UTC).lines or []
    ]
    return Placement(occurred_at, tuple(sorted(lines, key=_place)))


def _place(line: _Line) -> tuple[str, int, Decimal]:
    product, quantity, price = line
    return product, quantity or 0, price or Decimal(0)
