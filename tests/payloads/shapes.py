"""Payloads of orders as shops, payment services and clients send them, about invented people.

The shapes are public: Segment's e-commerce specifications 1 and 2, RudderStack's source for Shopify,
the orders of Shopify and WooCommerce, the objects of Stripe. A bug report in a case's name is the
report that the case replays.
"""

from typing import Any, NamedTuple

NOOR = {"userId": "shop-7431", "context": {"library": {"name": "payloads"}}}


class Case(NamedTuple):
    """Events about one order, and the expected order.

    expected: status, total and currency. lines: (product or id, quantity, unit price) of each.
    doubts: the codes on the order and its lines. warnings: the codes in the answer of the wire
    """

    name: str
    events: list[dict[str, Any]]
    expected: tuple[str, str, str]
    lines: list[tuple[str, int | None, str | None]] = []
    doubts: list[str] = []
    warnings: list[str] = []


def track(name: str, /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": name,
        "properties": {"order_id": "NUMBER"} | properties,
        **NOOR,
    }


def placed(**properties: Any) -> dict[str, Any]:
    return track("Order Completed", **properties)


DAY = {"product_id": "day", "sku": "DAY-1", "name": "Day ticket", "price": 39.5, "quantity": 2}
MEAL = {"product_id": "meal", "sku": "MEAL-1", "name": "Meal", "price": "12.25", "quantity": 4}
DAY_LINE, MEAL_LINE = ("day", 2, "39.50"), ("meal", 4, "12.25")
BOTH = {"currency": "EUR", "products": [DAY, MEAL]}


def day(**fields: Any) -> dict[str, Any]:
    return {"currency": "EUR", "products": [DAY | fields]}
