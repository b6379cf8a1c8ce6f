"""Orders: read, placed, amended and cancelled by staff or a source; requested by the customer."""

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import UNSET, Meta, UnsetType
from rest_framework.request import Request

from customers.access.permissions import Right, request_principal
from customers.actions import orders
from customers.actions.changes import ChangeAuthor
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    CustomerView,
    encode,
    expected_version,
    idempotent_response,
    or_404,
    page_parameters,
    page_response,
    read_body,
    shape_response,
    to_response,
)
from customers.api.changes import (
    ChangeShape,
    ChangingView,
    change_response,
    change_shape,
    request_author,
)
from customers.api.problems import Problem
from customers.projections.orders import (
    CANCELLATION_REQUESTED,
    CHANGE_REQUESTED,
    LARGEST,
    LINE_CANCELLATION_REQUESTED,
)
from customers.queries import lists
from customers.queries.shapes import EventShape, OrderShape
from customers.queries.timeline import TimelineFilter, timeline

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


class LineCancellation(msgspec.Struct, forbid_unknown_fields=True):
    """How many of the line to cancel; without a quantity, the whole line."""

    quantity: Count | None = None


class CancellationReason(msgspec.Struct, forbid_unknown_fields=True):
    reason: Text = ""


class PlacedOrder(msgspec.Struct, frozen=True):
    """A new order's number, the log and version of its event, and whether it is placed."""

    number: str
    customer: UUID
    version: int
    status: Literal["placed", "requested"]


class OrdersView(ChangingView):
    """A customer's orders."""

    rights: ClassVar = {"GET": Right.READ, "POST": Right.CHANGE_ORDER}

    @schema.describe(
        "List orders, newest first",
        answer=schema.pages_of(OrderShape),
        parameters=schema.PAGING,
        tags=("orders",),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        return page_response(request, lists.orders(self.live_id, cursor=cursor, limit=limit))

    @schema.describe(
        "Place an order; as its customer, request one",
        body=NewOrder,
        answer=schema.shape(PlacedOrder),
        status=201,
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        order = read_body(request, NewOrder)
        is_request = is_customer(request)
        if is_request:
            _refuse_prices(order.total, order.lines)
            _refuse_number(order.number)
        _refuse_large_totals(order.lines)
        live, author = self.live_id, request_author(request)

        def effect() -> StoredResponse:
            arguments: dict[str, Any] = {
                "customer_id": live,
                "author": author,
                "order": _event_properties(order),
                "now": timezone.now(),
                "expected_version": expected_version(request),
            }
            if is_request:
                placed = orders.request_order(**arguments)
            else:
                placed = orders.place_order(number=order.number or "", **arguments)
            receipt = change_shape(placed.outcome)
            status: Literal["placed", "requested"] = "requested" if is_request else "placed"
            shape = PlacedOrder(placed.number, receipt.customer, receipt.version, status)
            return StoredResponse(201, encode(shape))

        return idempotent_response(request, effect)


class OrderView(ChangingView):
    """One order."""

    rights: ClassVar = {"GET": Right.READ, "PATCH": Right.CHANGE_ORDER}

    @schema.describe("Read an order", answer=schema.shape(OrderShape), tags=("orders",))
    def get(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        return shape_response(or_404(lists.order(self.live_id, number)))

    @schema.describe(
        "Amend an order; as its customer, ask for the change",
        body=OrderChange,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IF_MATCH,),
        tags=("orders",),
    )
    def patch(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        change = read_body(request, OrderChange)
        by_customer = is_customer(request)
        if by_customer:
            _refuse_prices(change.total, change.lines or [])
        _refuse_large_totals(change.lines or [])
        target = order_target(self, request, number, request_author(request))
        if by_customer:
            outcome = orders.request_change(
                target=target, name=CHANGE_REQUESTED, change=_event_properties(change)
            )
        else:
            outcome = orders.amend_order(target=target, change=_event_properties(change))
        return to_response(change_response(outcome), version=outcome.version)


class CancelLineView(ChangingView):
    """Taking a line out of an order."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Cancel a line of an order, or some of it; as its customer, ask for it",
        body=LineCancellation,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(
        self, request: Request, number: str, line: str, customer_id: UUID | None = None
    ) -> HttpResponse:
        cancellation = read_body(request, LineCancellation)
        target = order_target(self, request, number, request_author(request))
        by_customer = is_customer(request)

        def effect() -> StoredResponse:
            if by_customer:
                quantity_property = (
                    {} if cancellation.quantity is None else {"quantity": cancellation.quantity}
                )
                change = {"line_id": line, **quantity_property}
                return change_response(
                    orders.request_change(
                        target=target, name=LINE_CANCELLATION_REQUESTED, change=change
                    )
                )
            return change_response(
                orders.cancel_order_line(target=target, line=line, quantity=cancellation.quantity)
            )

        return idempotent_response(request, effect)


class CancelView(ChangingView):
    """Cancelling an order."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Cancel an order; as its customer, ask for it",
        body=CancellationReason,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        cancellation = read_body(request, CancellationReason)
        target = order_target(self, request, number, request_author(request))
        by_customer = is_customer(request)

        def effect() -> StoredResponse:
            if by_customer:
                reason_property = {"reason": cancellation.reason} if cancellation.reason else {}
                return change_response(
                    orders.request_change(
                        target=target, name=CANCELLATION_REQUESTED, change=reason_property
                    )
                )
            return change_response(orders.cancel_order(target=target, reason=cancellation.reason))

        return idempotent_response(request, effect)


class OrderHistoryView(CustomerView):
    """Who changed what about an order."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "Read who changed what about an order, newest first",
        answer=schema.pages_of(EventShape),
        parameters=schema.PAGING,
        tags=("orders",),
    )
    def get(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        live = self.live_id
        or_404(lists.order(live, number))
        about = TimelineFilter(about=f"order:{number}")
        return page_response(
            request, or_404(timeline(live, filters=about, cursor=cursor, limit=limit))
        )


def is_customer(request: Request) -> bool:
    return request_principal(request).kind == "customer"


def order_target(
    view: CustomerView, request: Request, number: str, author: ChangeAuthor
) -> orders.OrderTarget:
    return orders.OrderTarget(
        customer_id=view.live_id,
        number=number,
        author=author,
        now=timezone.now(),
        expected_version=expected_version(request),
    )


def _event_properties(shape: NewOrder | OrderChange) -> dict[str, Any]:
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


def _refuse_prices(total: object, lines: list[NewLine] | list[LineChange]) -> None:
    """Refuse prices from customers: the company sets them."""
    if total is not UNSET or any(line.unit_price is not UNSET for line in lines):
        raise Problem(403, "prices-are-ours", "Prices are not for customers to set.")


def _refuse_number(number: object) -> None:
    """Refuse a number that a customer chose, whether or not an order has it."""
    if number is not UNSET:
        raise Problem(422, "numbers-are-ours", "An order gets its number from us; leave it out.")


def _refuse_large_totals(lines: list[NewLine] | list[LineChange]) -> None:
    """Refuse lines that come to more than an order can hold: they are a typing mistake."""
    total = sum(Decimal(line.unit_price or 0) * (line.quantity or 1) for line in lines)
    if total > LARGEST:
        raise Problem(422, "too-much", f"The lines come to more than {LARGEST}.")
