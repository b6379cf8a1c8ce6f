"""The base of endpoints that change one order."""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.permissions import Right, request_principal
from customers.actions.orders import NoSuchOrder, OrderTarget
from customers.api import schema
from customers.api.base import CustomerView, expected_version, idempotent_response
from customers.api.changes import ChangeShape, ChangingView, change_response, request_author
from customers.queries import lists
from customers.types import IngestOutcome


class OrderChangeView(ChangingView):
    """An endpoint that changes one order, once for each idempotency key."""

    rights: ClassVar = {"POST": Right.CHANGE_ORDER}

    def change_order(
        self, request: Request, number: str, change: Callable[[OrderTarget], IngestOutcome]
    ) -> HttpResponse:
        """Change the order with this number; return a response with the place of the change."""
        target = order_target(self, request, number)
        return idempotent_response(request, lambda: change_response(change(target)))


def describe_order_change(summary: str, *, body: type[msgspec.Struct] | None = None) -> Any:
    """Describe an operation of an OrderChangeView for the schema."""
    return schema.describe(
        summary,
        body=body,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("orders",),
    )


def is_customer(request: Request) -> bool:
    """Tell whether a signed-in customer makes the request, and not staff or a key."""
    return request_principal(request).kind == "customer"


def order_target(view: CustomerView, request: Request, number: str) -> OrderTarget:
    """Return the order that a request changes, with author, time and expected version.

    Raises NoSuchOrder if the session of a customer does not open the order.
    """
    if view.part and lists.order(view.live_id, number, part=view.part) is None:
        raise NoSuchOrder
    return OrderTarget(
        customer_id=view.live_id,
        number=number,
        author=request_author(request),
        now=timezone.now(),
        expected_version=expected_version(request),
    )
