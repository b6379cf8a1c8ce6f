"""An arrangement as the e-commerce events that clients of this kind send."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from examples.themepark.catalogue import Line, arrangement, lines
from examples.themepark.families import Family


def completed(number: str, *, key: str, family: Family, day: date, channel: str) -> dict[str, Any]:
    """Return the properties of "Order Completed" for this family's visit on a day."""
    wanted = arrangement(key)
    ordered = lines(key, party=family.guests(day), day=day)
    is_visit = wanted.arrival is not None
    return {
        "order_id": number,
        "name": wanted.name,
        "channel": channel,
        "currency": "EUR",
        "total": str(total(ordered)),
        "visit_date": day.isoformat() if is_visit else None,
        "visit_time": f"{wanted.arrival:%H:%M}" if wanted.arrival else None,
        "nights": wanted.nights,
        "party": [
            {"name": family.given, "age": family.guests(day)[0].age},
            *({"name": m.name.split()[0], "age": m.age(day)} for m in family.members),
        ],
        "products": [product(line) for line in ordered],
    }


def product(line: Line) -> dict[str, Any]:
    return {
        "line_id": line.product,
        "product_id": line.product,
        "name": line.name,
        "quantity": line.quantity,
        "price": str(line.unit_price),
    }


def total(ordered: Sequence[Line]) -> Decimal:
    return sum((line.total for line in ordered), Decimal("0.00"))
