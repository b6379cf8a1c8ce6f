"""Endpoints to confirm or decline a customer's request: an order, change or cancellation."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from customers.actions import order_requests
from customers.api.base import read_body
from customers.api.order_cancellations import CancellationReason
from customers.api.order_changes import OrderChangeView, describe_order_change, is_customer
from customers.api.problems import Problem


class ConfirmOrderRequestView(OrderChangeView):
    """Confirms a customer's request."""

    @describe_order_change(
        "Confirm the customer's request: place the order, or make the requested changes"
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        _refuse_customers(request)
        return self.change_order(
            request, number, lambda target: order_requests.confirm_request(target=target)
        )


class DeclineOrderRequestView(OrderChangeView):
    """Declines a customer's request."""

    @describe_order_change(
        "Decline the customer's request; a placed order does not change",
        body=CancellationReason,
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        _refuse_customers(request)
        reason = read_body(request, CancellationReason).reason
        return self.change_order(
            request,
            number,
            lambda target: order_requests.decline_request(target=target, reason=reason),
        )


def _refuse_customers(request: Request) -> None:
    """Raise a Problem (403) for customers, who must not confirm or decline their own requests."""
    if is_customer(request):
        raise Problem(403, "not-for-customers", "Only staff or a source can confirm or decline.")
