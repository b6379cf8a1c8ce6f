"""Compares events that place orders. Events with the same time and lines place the same order. Pure.

The server and the till of a shop may send the same sale, or one source may send it twice.
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
    # Product, quantity and price of each line, sorted. The ids and other fields of a line may differ
    # between sources.
    lines: tuple[_Line, ...]

    def agrees_with(self, other: "Placement") -> bool:
        """Tell whether both events place the same order. Events without lines never agree."""
        return bool(self.lines) and self == other


def read_placement(properties: Mapping[str, object], occurred_at: datetime) -> Placement:
    """Return the facts of an event with these properties."""
    lines = [
        (line.product or line.id, line.quantity, line.unit_price)
        for line in read_order(properties, UTC).lines or []
    ]
    return Placement(occurred_at, tuple(sorted(lines, key=_sort_key)))


def _sort_key(line: _Line) -> tuple[str, int, Decimal]:
    product, quantity, price = line
    return product, quantity or 0, price or Decimal(0)
