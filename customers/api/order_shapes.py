"""What the API takes of orders and answers, and what it refuses of them."""

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from customers.api.problems import Problem
from customers.projections.orders import LARGEST

type Text = Annotated[str, Meta(max_length=500)]
type Name = Annotated[str, Meta(min_length=1, max_length=100)]
type OrderNumber = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
type Money = Annotated[
    str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,2})?$", description="As text, such as 12.50")
]
type Count = Annotated[int, Meta(ge=1, le=10_000)]
type Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]


class NewLine(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    product: Name
    id: Name | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    quantity: Count = 1
    unit_price: Money | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class NewOrder(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An order to place. Without a number, one is made up; without a total, lines add up."""

    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=200)]
    number: OrderNumber | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    total: Money | UnsetType = UNSET
    visit_date: date | UnsetType | None = UNSET
    visit_time: time | UnsetType | None = UNSET
    party: list[dict[str, Any]] | UnsetType = UNSET
    note: Text | UnsetType = UNSET
    coupon: Text | UnsetType = UNSET


class LineChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What changes about a line; an id that the order does not have adds one."""

    id: Name
    product: Name | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    quantity: Count | UnsetType = UNSET
    unit_price: Money | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class OrderChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What changes about an order; what is not named stays."""

    lines: Annotated[list[LineChange], Meta(max_length=200)] | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    total: Money | UnsetType = UNSET
    visit_date: date | UnsetType | None = UNSET
    visit_time: time | UnsetType | None = UNSET
    party: list[dict[str, Any]] | UnsetType = UNSET
    note: Text | UnsetType = UNSET


class PlacedOrder(msgspec.Struct, frozen=True):
    """A new order's number, the log and version of its event, and whether it is placed."""

    number: str
    customer: UUID
    version: int
    status: Literal["placed", "requested"]


def event_properties(shape: NewOrder | OrderChange) -> dict[str, Any]:
    """Return the properties of an order event: only fields that were sent, lines by line_id."""
    properties: dict[str, Any] = msgspec.to_builtins(shape)
    properties.pop("number", None)
    if "lines" in properties:
        properties["lines"] = [
            _line_properties(line, number) for number, line in enumerate(properties["lines"], 1)
        ]
    return properties


def _line_properties(line: dict[str, Any], number: int) -> dict[str, Any]:
    # A detail cannot overwrite a field of the line.
    fields = {name: value for name, value in line.items() if name not in ("id", "details")}
    details = {k: v for k, v in line.get("details", {}).items() if k not in _RESERVED_NAMES}
    return {**details, **fields, "line_id": line.get("id", str(number))}


_RESERVED_NAMES = frozenset(
    {"id", "line_id", "product", "product_id", "sku", "name", "quantity", "price", "unit_price"}
    | {"status", "total"}
)


def refuse_prices(total: object, lines: list[NewLine] | list[LineChange]) -> None:
    """Refuse prices from customers: the company sets them."""
    if total is not UNSET or any(line.unit_price is not UNSET for line in lines):
        raise Problem(403, "prices-are-ours", "Prices are not for customers to set.")


def refuse_number(number: object) -> None:
    """Refuse a number that a customer chose, whether or not an order has it."""
    if number is not UNSET:
        raise Problem(422, "numbers-are-ours", "An order gets its number from us; leave it out.")


def refuse_large_totals(lines: list[NewLine] | list[LineChange]) -> None:
    """Refuse lines that come to more than an order can hold: they are a typing mistake."""
    total = sum(Decimal(line.unit_price or 0) * (line.quantity or 1) for line in lines)
    if total > LARGEST:
        raise Problem(422, "too-much", f"The lines come to more than {LARGEST}.")
