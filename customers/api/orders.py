"""Endpoints of orders. Staff and sources place and amend orders; customers request this."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.permissions import Right
from customers.actions import orders
from customers.actions.idempotency import StoredResponse
from customers.actions.order_requests import request_change, request_order
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
from customers.api.order_changes import is_customer, order_target
from customers.api.order_shapes import (
    NewOrder,
    OrderChange,
    PlacedOrder,
    event_properties,
    refuse_decimals,
    refuse_large_totals,
    refuse_number,
    refuse_prices,
)
from customers.projections.orders import CHANGE_REQUESTED
from customers.queries import lists
from customers.queries.shapes import EventShape, OrderShape
from customers.queries.timeline import TimelineFilter, timeline
from customers.values.order_numbers import sent_number


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
        page = lists.orders(self.live_id, cursor=cursor, limit=limit, part=self.part)
        return page_response(request, page)

    @schema.describe(
        "Place an order; customers request an order",
        body=NewOrder,
        answer=schema.shape(PlacedOrder),
        status=201,
        location="{number}/",
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        order = read_body(request, NewOrder)
        is_request = is_customer(request)
        if is_request:
            refuse_prices(order.total, order.lines)
            refuse_number(order.number)
        refuse_large_totals(order.lines)
        refuse_decimals(order.currency or "", order.total, order.lines)
        arguments: dict[str, Any] = {
            "customer_id": self.live_id,
            "author": request_author(request),
            "order": event_properties(order),
        }

        def effect() -> StoredResponse:
            arguments.update(now=timezone.now(), expected_version=expected_version(request))
            if is_request:
                return _placed(request_order(**arguments), "requested")
            return _placed(orders.place_order(**arguments, number=order.number or ""), "placed")

        return idempotent_response(request, effect)


def _placed(
    placement: orders.OrderPlacement, status: Literal["placed", "requested"]
) -> StoredResponse:
    receipt = change_shape(placement.outcome)
    shape = PlacedOrder(placement.number, receipt.customer, receipt.version, status)
    return StoredResponse(201, encode(shape))


class OrderView(ChangingView):
    """One order."""

    rights: ClassVar = {"GET": Right.READ, "PATCH": Right.CHANGE_ORDER}

    @schema.describe("Read an order", answer=schema.shape(OrderShape), tags=("orders",))
    def get(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        return shape_response(or_404(lists.order(self.live_id, number, part=self.part)))

    @schema.describe(
        "Amend an order; customers request the change",
        body=OrderChange,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IF_MATCH,),
        tags=("orders",),
    )
    def patch(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        change = read_body(request, OrderChange)
        by_customer = is_customer(request)
        if by_customer:
            refuse_prices(change.total, change.lines or [])
        refuse_large_totals(change.lines or [])
        target = order_target(self, request, number)
        changed = lists.order(self.live_id, number, part=self.part)
        refuse_decimals(changed.currency if changed else "", change.total, change.lines or [])
        if by_customer:
            outcome = request_change(
                target=target, name=CHANGE_REQUESTED, change=event_properties(change)
            )
        else:
            outcome = orders.amend_order(target=target, change=event_properties(change))
        return to_response(change_response(outcome), version=outcome.version)


class OrderHistoryView(CustomerView):
    """The changes of an order, with their authors."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List the changes of an order with their authors, newest first",
        answer=schema.pages_of(EventShape),
        parameters=schema.PAGING,
        tags=("orders",),
    )
    def get(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        live = self.live_id
        or_404(lists.order(live, number, part=self.part))
        about = TimelineFilter(about=f"order:{sent_number(number)}")
        return page_response(
            request,
            or_404(
                timeline(
                    live,
                    filters=about,
                    cursor=cursor,
                    limit=limit,
                    part=self.part,
                    is_for_customer=is_customer(request),
                )
            ),
        )
