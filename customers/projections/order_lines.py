"""Reads, changes and adds up the lines of an order. Pure."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from customers.projections.projected_events import parse_count, parse_money, parse_text


class OrderLine(msgspec.Struct):
    id: str
    product: str = ""
    name: str = ""
    quantity: int = 1
    unit_price: Decimal | None = None
    status: str = "ordered"
    details: dict[str, object] = {}

    @property
    def total(self) -> Decimal:
        """The unit price times the quantity; 0 if the unit price is unknown."""
        return (self.unit_price or Decimal(0)) * self.quantity


_LINE_FIELDS = frozenset(
    {"id", "line_id", "product_id", "product", "sku", "name", "quantity"}
    | {"price", "unit_price", "status", "total"}
)


def line_from_document(document: dict[str, object], number: int) -> OrderLine:
    """Return the line from a document. Without an id in the document, its number is its id."""
    return OrderLine(
        id=parse_text(document, "line_id", "id") or str(number),
        product=parse_text(document, "product_id", "product", "sku"),
        name=parse_text(document, "name"),
        quantity=parse_count(document.get("quantity"), 1),
        unit_price=parse_money(document.get("unit_price", document.get("price"))),
        details={name: value for name, value in document.items() if name not in _LINE_FIELDS},
    )


def amend_line(current: OrderLine, stated: OrderLine, document: dict[str, object]) -> None:
    """Copy the fields of a line that the document contains."""
    current.status = "ordered"
    current.details = {**current.details, **stated.details}
    current.product = stated.product or current.product
    current.name = stated.name or current.name
    current.quantity = parse_count(document.get("quantity"), current.quantity)
    if stated.unit_price is not None:
        current.unit_price = stated.unit_price


def lines_total(lines: Iterable[OrderLine]) -> Decimal:
    """Return the total of the lines with the status "ordered"."""
    return sum((line.total for line in lines if line.status == "ordered"), Decimal("0.00"))
