"""Endpoints to cancel an order or a line. For customers, they store a request to cancel."""

from uuid import UUID

import msgspec
from django.http import HttpResponse
from rest_framework.request import Request

from customers.actions import orders
from customers.actions.order_requests import request_change
from customers.actions.orders import OrderTarget
from customers.api.base import read_body
from customers.api.order_changes import OrderChangeView, describe_order_change, is_customer
from customers.api.order_shapes import Count, Text
from customers.projections.orders import CANCELLATION_REQUESTED, LINE_CANCELLATION_REQUESTED
from customers.types import IngestOutcome


class LineCancellation(msgspec.Struct, forbid_unknown_fields=True):
    """The quantity of the line to cancel; without a quantity, the whole line."""

    quantity: Count | None = None


class CancellationReason(msgspec.Struct, forbid_unknown_fields=True):
    reason: Text = ""


class CancelLineView(OrderChangeView):
    """Cancels a line of an order."""

    @describe_order_change(
        "Cancel an order line, or a part of its quantity; customers request the cancellation",
        body=LineCancellation,
    )
    def post(
        self, request: Request, number: str, line: str, customer_id: UUID | None = None
    ) -> HttpResponse:
        quantity = read_body(request, LineCancellation).quantity
        by_customer = is_customer(request)

        def cancel(target: OrderTarget) -> IngestOutcome:
            """Cancel the line; for a customer, only store a request to cancel it."""
            if not by_customer:
                return orders.cancel_order_line(target=target, line=line, quantity=quantity)
            quantity_property = {} if quantity is None else {"quantity": quantity}
            change = {"line_id": line, **quantity_property}
            return request_change(target=target, name=LINE_CANCELLATION_REQUESTED, change=change)

        return self.change_order(request, number, cancel)


class CancelView(OrderChangeView):
    """Cancels an order."""

    @describe_order_change(
        "Cancel an order; customers request the cancellation", body=CancellationReason
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        reason = read_body(request, CancellationReason).reason
        by_customer = is_customer(request)

        def cancel(target: OrderTarget) -> IngestOutcome:
            """Cancel the order; for a customer, only store a request to cancel it."""
            if not by_customer:
                return orders.cancel_order(target=target, reason=reason)
            change = {"reason": reason} if reason else {}
            return request_change(target=target, name=CANCELLATION_REQUESTED, change=change)

        return self.change_order(request, number, cancel)
