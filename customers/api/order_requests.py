"""Confirming or declining what a customer requested: an order, a change or a cancellation."""

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from customers.access.permissions import Right
from customers.actions import orders
from customers.api import schema
from customers.api.base import idempotent_response, read_body
from customers.api.changes import ChangeShape, ChangingView, change_response, request_author
from customers.api.orders import CancellationReason, is_customer, order_target
from customers.api.problems import Problem


class ConfirmOrderRequestView(ChangingView):
    """Confirming what a customer requested."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Confirm what the customer requested: place the order, or do what she asked to change",
        answer=schema.shape(ChangeShape),
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        _refuse_customers(request)
        target = order_target(self, request, number, request_author(request))
        return idempotent_response(
            request, lambda: change_response(orders.confirm_request(target=target))
        )


class DeclineOrderRequestView(ChangingView):
    """Declining what a customer requested."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Decline what the customer requested; an order that stands stays as it is",
        body=CancellationReason,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("orders",),
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        _refuse_customers(request)
        body = read_body(request, CancellationReason)
        target = order_target(self, request, number, request_author(request))
        return idempotent_response(
            request,
            lambda: change_response(orders.decline_request(target=target, reason=body.reason)),
        )


def _refuse_customers(request: Request) -> None:
    """Refuse customers: they must not confirm or decline their own requests."""
    if is_customer(request):
        raise Problem(403, "not-for-customers", "Only who sells it can confirm or decline it.")
