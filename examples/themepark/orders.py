"""Order events for the arrangements of the park, in the e-commerce format of Segment."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from examples.themepark.catalogue import OrderLine, find_package, lines
from examples.themepark.families import Family


def completed(number: str, *, key: str, family: Family, day: date, channel: str) -> dict[str, Any]:
    """Return the properties of "Order Completed" for the visit of a family on a day."""
    package = find_package(key)
    ordered = lines(key, party=family.guests(day), day=day)
    is_visit = package.arrival is not None
    return {
        "order_id": number,
        "name": package.name,
        "channel": channel,
        "currency": "EUR",
        "total": str(total(ordered)),
        "visit_date": day.isoformat() if is_visit else None,
        "visit_time": f"{package.arrival:%H:%M}" if package.arrival else None,
        "nights": package.nights,
        "party": [
            {"name": family.first_name, "age": family.guests(day)[0].age},
            *(
                {"name": member.name.split()[0], "age": member.age(day)}
                for member in family.members
            ),
        ],
        "products": [product(line) for line in ordered],
    }


def product(line: OrderLine) -> dict[str, Any]:
    """Return an order line in the shape of Segment's products, with the price as text."""
    return {
        "line_id": line.product,
        "product_id": line.product,
        "name": line.name,
        "quantity": line.quantity,
        "price": str(line.unit_price),
    }


def total(ordered: Sequence[OrderLine]) -> Decimal:
    """Return the price of all lines, in euros."""
    return sum((line.total for line in ordered), Decimal("0.00"))
