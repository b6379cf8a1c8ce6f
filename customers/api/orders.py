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

from customers.access.permissions import Right, principal
from customers.actions import orders
from customers.actions.changes import ChangeAuthor
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    CustomerView,
    answer,
    encode,
    expected_version,
    found,
    once_only,
    page_wanted,
    paged,
    read_body,
    sent,
)
from customers.api.problems import Problem
from customers.api.writing import Changed, ChangingView, author, changed, place
from customers.projections.orders import (
    CANCELLATION_REQUESTED,
    CHANGE_REQUESTED,
    LARGEST,
    LINE_CANCELLATION_REQUESTED,
)
from customers.queries import lists
from customers.queries.shapes import EventShape, OrderShape
from customers.queries.timeline import Filter, timeline

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


class ChangedLine(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What changes about a line; an id that the order does not have adds one."""

    id: Name
    product: Name | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    quantity: Count | UnsetType = UNSET
    unit_price: Money | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class OrderChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What changes about an order; what is not named stays."""

    lines: Annotated[list[ChangedLine], Meta(max_length=200)] | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    total: Money | UnsetType = UNSET
    visit_date: date | UnsetType | None = UNSET
    visit_time: time | UnsetType | None = UNSET
    party: list[dict[str, Any]] | UnsetType = UNSET
    note: Text | UnsetType = UNSET


class LineGone(msgspec.Struct, forbid_unknown_fields=True):
    """How many of the line to take out; all of it where nothing is said."""

    quantity: Count | None = None


class Cancelled(msgspec.Struct, forbid_unknown_fields=True):
    reason: Text = ""


class PlacedOrder(msgspec.Struct, frozen=True):
    """A new order's number, where it stands, and whether it is placed."""

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
        cursor, limit = page_wanted(request)
        return paged(request, lists.orders(self.live, cursor=cursor, limit=limit))

    @schema.describe(
        "Place an order; as its customer, request one",
        body=NewOrder,
        answer=schema.shape(PlacedOrder),
        status=201,
        parameters=(schema.ONCE, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        order = read_body(request, NewOrder)
        is_request = _is_customer(request)
        if is_request:
            _refuse_prices(order.total, order.lines)
            _refuse_number(order.number)
        _refuse_fortunes(order.lines)
        live, by = self.live, author(request)

        def effect() -> StoredResponse:
            stated: dict[str, Any] = {
                "customer_id": live,
                "author": by,
                "order": _said(order),
                "now": timezone.now(),
                "expected_version": expected_version(request),
            }
            if is_request:
                placed = orders.request_order(**stated)
            else:
                placed = orders.place_order(number=order.number or "", **stated)
            where = place(placed.outcome)
            status: Literal["placed", "requested"] = "requested" if is_request else "placed"
            shape = PlacedOrder(placed.number, where.customer, where.version, status)
            return StoredResponse(201, encode(shape))

        return once_only(request, effect)


class OrderView(ChangingView):
    """One order."""

    rights: ClassVar = {"GET": Right.READ, "PATCH": Right.CHANGE_ORDER}

    @schema.describe("Read an order", answer=schema.shape(OrderShape), tags=("orders",))
    def get(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        return answer(found(lists.order(self.live, number)))

    @schema.describe(
        "Amend an order; as its customer, ask for the change",
        body=OrderChange,
        answer=schema.shape(Changed),
        parameters=(schema.IF_MATCH,),
        tags=("orders",),
    )
    def patch(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        change = read_body(request, OrderChange)
        is_customer = _is_customer(request)
        if is_customer:
            _refuse_prices(change.total, change.lines or [])
        _refuse_fortunes(change.lines or [])
        aim = _aim(self, request, number, author(request))
        if is_customer:
            outcome = orders.request_change(target=aim, name=CHANGE_REQUESTED, change=_said(change))
        else:
            outcome = orders.amend_order(target=aim, change=_said(change))
        return sent(changed(outcome), version=outcome.version)


class CancelLineView(ChangingView):
    """Taking a line out of an order."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Cancel a line of an order, or some of it; as its customer, ask for it",
        body=LineGone,
        answer=schema.shape(Changed),
        parameters=(schema.ONCE, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(
        self, request: Request, number: str, line: str, customer_id: UUID | None = None
    ) -> HttpResponse:
        gone = read_body(request, LineGone)
        aim = _aim(self, request, number, author(request))
        is_customer = _is_customer(request)

        def effect() -> StoredResponse:
            if is_customer:
                some = {} if gone.quantity is None else {"quantity": gone.quantity}
                change = {"line_id": line, **some}
                return changed(
                    orders.request_change(
                        target=aim, name=LINE_CANCELLATION_REQUESTED, change=change
                    )
                )
            return changed(orders.cancel_order_line(target=aim, line=line, quantity=gone.quantity))

        return once_only(request, effect)


class CancelView(ChangingView):
    """Cancelling an order."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Cancel an order; as its customer, ask for it",
        body=Cancelled,
        answer=schema.shape(Changed),
        parameters=(schema.ONCE, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        said = read_body(request, Cancelled)
        aim = _aim(self, request, number, author(request))
        is_customer = _is_customer(request)

        def effect() -> StoredResponse:
            if is_customer:
                because = {"reason": said.reason} if said.reason else {}
                return changed(
                    orders.request_change(target=aim, name=CANCELLATION_REQUESTED, change=because)
                )
            return changed(orders.cancel_order(target=aim, reason=said.reason))

        return once_only(request, effect)


class ConfirmView(ChangingView):
    """Confirming what a customer requested."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Confirm what the customer requested: place the order, or do what she asked to change",
        answer=schema.shape(Changed),
        parameters=(schema.ONCE, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        _refuse_customers(request)
        aim = _aim(self, request, number, author(request))
        return once_only(request, lambda: changed(orders.confirm_request(target=aim)))


class DeclineView(ChangingView):
    """Declining what a customer requested."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Decline what the customer requested; an order that stands stays as it is",
        body=Cancelled,
        answer=schema.shape(Changed),
        parameters=(schema.ONCE, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        _refuse_customers(request)
        body = read_body(request, Cancelled)
        aim = _aim(self, request, number, author(request))
        return once_only(
            request, lambda: changed(orders.decline_request(target=aim, reason=body.reason))
        )


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
        cursor, limit = page_wanted(request)
        live = self.live
        found(lists.order(live, number))
        about = Filter(about=f"order:{number}")
        return paged(request, found(timeline(live, narrow=about, cursor=cursor, limit=limit)))


def _is_customer(request: Request) -> bool:
    return principal(request).kind == "customer"


def _refuse_customers(request: Request) -> None:
    """Let nobody settle what she requested herself, by whichever address."""
    if _is_customer(request):
        raise Problem(403, "not-for-customers", "Only who sells it can confirm or decline it.")


def _aim(view: CustomerView, request: Request, number: str, by: ChangeAuthor) -> orders.OrderTarget:
    return orders.OrderTarget(
        customer_id=view.live,
        number=number,
        author=by,
        now=timezone.now(),
        expected_version=expected_version(request),
    )


def _said(shape: NewOrder | OrderChange) -> dict[str, Any]:
    """Return the properties of an order event: only what was said, lines by their line_id."""
    said: dict[str, Any] = msgspec.to_builtins(shape)
    said.pop("number", None)
    if "lines" in said:
        said["lines"] = [_line(line, number) for number, line in enumerate(said["lines"], 1)]
    return said


def _line(line: dict[str, Any], number: int) -> dict[str, Any]:
    # What we name ourselves cannot be overruled by what somebody calls a detail.
    known = {name: value for name, value in line.items() if name not in ("id", "details")}
    details = {k: v for k, v in line.get("details", {}).items() if k not in _OURS}
    return {**details, **known, "line_id": line.get("id", str(number))}


_OURS = frozenset(
    {"id", "line_id", "product", "product_id", "sku", "name", "quantity", "price", "unit_price"}
    | {"status", "total"}
)


def _refuse_prices(total: object, lines: list[NewLine] | list[ChangedLine]) -> None:
    """Customers say what they want; what it costs says who sells it."""
    if total is not UNSET or any(line.unit_price is not UNSET for line in lines):
        raise Problem(403, "prices-are-ours", "Prices are not for customers to set.")


def _refuse_number(number: object) -> None:
    """Refuse a number that a customer chose, whether or not an order has it."""
    if number is not UNSET:
        raise Problem(422, "numbers-are-ours", "An order gets its number from us; leave it out.")


def _refuse_fortunes(lines: list[NewLine] | list[ChangedLine]) -> None:
    """What no total can hold is a slip of the hand, and better said now than kept."""
    total = sum(Decimal(line.unit_price or 0) * (line.quantity or 1) for line in lines)
    if total > LARGEST:
        raise Problem(422, "too-much", f"The lines come to more than {LARGEST}.")
