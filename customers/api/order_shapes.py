"""The shapes of orders in requests and responses, and checks of them."""

from collections.abc import Sequence
from datetime import UTC, date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from customers.api.problems import Problem
from customers.api.stored_shapes import Guest
from customers.projections.order_lines import LINE_FIELDS
from customers.projections.orders import LARGEST
from customers.values.amounts import read_amount
from customers.values.currencies import decimal_places
from customers.values.times import read_time_of_day

type Text = Annotated[str, Meta(max_length=500)]
type Name = Annotated[str, Meta(min_length=1, max_length=100)]
type OrderNumber = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
type Money = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?$",
        description="As text, such as 12.50, with at most the decimal places of the currency",
    ),
]
type TimeOfDay = Annotated[
    str,
    Meta(
        pattern=r"^([01]?[0-9]|2[0-3])[:.][0-5][0-9]([:.][0-5][0-9](\.[0-9]+)?)?$",
        description="Such as 10:00, 9:30, 10.30 or 10:30:00",
    ),
]
type Count = Annotated[int, Meta(ge=1, le=10_000)]
type Guests = list[
    Annotated[dict[str, Any], Meta(extra_json_schema={"$ref": "#/components/schemas/Guest"})]
]
type Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]


class NewLine(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    product: Name
    id: Name | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    quantity: Count = 1
    unit_price: Money | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class NewOrder(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An order to place. Butler generates a missing number, and computes a missing total."""

    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=200)]
    number: OrderNumber | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    total: Money | UnsetType = UNSET
    visit_date: date | UnsetType | None = UNSET
    visit_time: TimeOfDay | UnsetType | None = UNSET
    party: Guests | UnsetType = UNSET
    note: Text | UnsetType = UNSET
    coupon: Text | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_guests(self.party)


class LineChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The changed fields of a line. If the order has no line with this id, it gets a new line."""

    id: Name
    product: Name | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    quantity: Count | UnsetType = UNSET
    unit_price: Money | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class OrderChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The changed fields of an order. The other fields do not change."""

    lines: Annotated[list[LineChange], Meta(max_length=200)] | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    total: Money | UnsetType = UNSET
    visit_date: date | UnsetType | None = UNSET
    visit_time: TimeOfDay | UnsetType | None = UNSET
    party: Guests | UnsetType = UNSET
    note: Text | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_guests(self.party)


class PlacedOrder(msgspec.Struct, frozen=True):
    """The number and status of a new order, and the log and version of its event."""

    number: str
    customer: UUID
    version: int
    status: Literal["placed", "requested"]


def _check_guests(guests: list[dict[str, Any]] | UnsetType) -> None:
    """Raise ValueError if a field of Guest is not text. Other fields may have any value."""
    for guest in guests or ():
        for name in Guest.__struct_fields__:
            if not isinstance(guest.get(name, ""), str):
                raise ValueError(f"{name} of a guest has to be text")


def event_properties(shape: NewOrder | OrderChange) -> dict[str, Any]:
    """Return the properties of an order event: the sent fields, and lines with `line_id`."""
    properties: dict[str, Any] = msgspec.to_builtins(shape)
    properties.pop("number", None)
    if properties.get("visit_time"):
        properties["visit_time"] = _iso_time(properties["visit_time"])
    if "lines" in properties:
        properties["lines"] = [
            _line_properties(line, number) for number, line in enumerate(properties["lines"], 1)
        ]
    return properties


def _iso_time(stated: str) -> str:
    """Return a time of day such as 9:30 or 10.30 as ISO 8601 writes it."""
    time_of_day = read_time_of_day(stated, UTC).value
    assert time_of_day is not None  # by the pattern of TimeOfDay
    return time_of_day.isoformat()


def _line_properties(line: dict[str, Any], number: int) -> dict[str, Any]:
    # Details cannot overwrite fields of the line.
    fields = {name: value for name, value in line.items() if name not in ("id", "details")}
    details = {k: v for k, v in line.get("details", {}).items() if k not in _RESERVED_NAMES}
    return {**details, **fields, "line_id": line.get("id", str(number))}


_RESERVED_NAMES = LINE_FIELDS | {"sku"}


def refuse_prices(total: object, lines: list[NewLine] | list[LineChange]) -> None:
    """Raise a Problem (403) if a customer sends prices, because the company sets them."""
    if total is not UNSET or any(line.unit_price is not UNSET for line in lines):
        raise Problem(403, "prices-are-ours", "Customers cannot set prices. Leave them out.")


def refuse_number(number: object) -> None:
    """Raise a Problem (422) if a customer sends an order number."""
    if number is not UNSET:
        raise Problem(422, "numbers-are-ours", "Butler generates the order number. Leave it out.")


def refuse_decimals(
    currency: str, total: object, lines: Sequence[NewLine] | Sequence[LineChange]
) -> None:
    """Raise a Problem (422) if an amount has more decimal places than its currency."""
    amounts = [total, *(line.unit_price for line in lines)]
    stated = [amount for amount in amounts if isinstance(amount, str)]
    places = decimal_places(currency)
    if any(len(amount.partition(".")[2].rstrip("0")) > places for amount in stated):
        detail = f"Amounts in {currency or 'this currency'} have at most {places} decimal places."
        raise Problem(422, "too-many-decimals", detail)


def refuse_large_totals(lines: list[NewLine] | list[LineChange]) -> None:
    """Raise a Problem (422) if the total of the lines is too large for an order."""
    prices = [(read_amount(line.unit_price or 0).value, line.quantity or 1) for line in lines]
    if sum((price or 0) * quantity for price, quantity in prices) > LARGEST:
        raise Problem(422, "too-much", f"The total of the lines is more than {LARGEST}.")
