"""The lines of an order: read from the documents of events, changed and added up. Pure."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from customers.projections.facts import money, text, whole


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
        return (self.unit_price or Decimal(0)) * self.quantity


_LINE_FIELDS = frozenset(
    {"id", "line_id", "product_id", "product", "sku", "name", "quantity"}
    | {"price", "unit_price", "status", "total"}
)


def line_from_document(document: dict[str, object], number: int) -> OrderLine:
    """Return the line that a document states; its number is its id where it has no other."""
    return OrderLine(
        id=text(document, "line_id", "id") or str(number),
        product=text(document, "product_id", "product", "sku"),
        name=text(document, "name"),
        quantity=whole(document.get("quantity"), 1),
        unit_price=money(document.get("unit_price", document.get("price"))),
        details={name: value for name, value in document.items() if name not in _LINE_FIELDS},
    )


def amend_line(current: OrderLine, stated: OrderLine, document: dict[str, object]) -> None:
    """Take over the fields of a line that the document really has."""
    current.status = "ordered"
    current.details = {**current.details, **stated.details}
    current.product = stated.product or current.product
    current.name = stated.name or current.name
    if "quantity" in document:
        current.quantity = stated.quantity
    if stated.unit_price is not None:
        current.unit_price = stated.unit_price


def lines_total(lines: Iterable[OrderLine]) -> Decimal:
    """Return the total of the lines that are still in the order."""
    return sum((line.total for line in lines if line.status == "ordered"), Decimal("0.00"))
