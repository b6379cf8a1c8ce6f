"""Confirming or declining what a customer requested: an order, a change or a cancellation."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from customers.actions import order_requests
from customers.api.base import read_body
from customers.api.order_cancellations import CancellationReason
from customers.api.order_changes import OrderChangeView, describe_order_change, is_customer
from customers.api.problems import Problem


class ConfirmOrderRequestView(OrderChangeView):
    """Confirming what a customer requested."""

    @describe_order_change(
        "Confirm what the customer requested: place the order, or do what she asked to change"
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        _refuse_customers(request)
        return self.change_order(
            request, number, lambda target: order_requests.confirm_request(target=target)
        )


class DeclineOrderRequestView(OrderChangeView):
    """Declining what a customer requested."""

    @describe_order_change(
        "Decline what the customer requested; an order that stands stays as it is",
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
    """Refuse customers: they must not confirm or decline their own requests."""
    if is_customer(request):
        raise Problem(403, "not-for-customers", "Only who sells it can confirm or decline it.")
