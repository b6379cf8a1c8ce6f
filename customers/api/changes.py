"""What endpoints that change a record share: the author, and problem documents."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from rest_framework.request import Request

from customers.access.permissions import request_actor, request_principal
from customers.actions.changes import ChangeAuthor, RejectedChange, UnreachableRecord
from customers.actions.idempotency import StoredResponse
from customers.actions.order_requests import NoPendingRequest
from customers.actions.orders import (
    NoSuchLine,
    NoSuchOrder,
    OrderClosed,
    OrderNumberInUse,
    UnverifiedOrder,
)
from customers.actions.parties import NoSuchMember
from customers.actions.requests import NoSuchRequest
from customers.api.base import CustomerView, encode
from customers.api.problems import Problem
from customers.events import internal_sources
from customers.types import IngestOutcome

# The source of people who signed in, by kind and session.
_SIGNED_IN = {
    ("staff", "cookie"): ("staff console", "console"),
    ("staff", "token"): ("staff app", "console"),
    ("customer", "cookie"): ("customer portal", "web"),
    ("customer", "token"): ("customer app", "app"),
}


class ChangeShape(msgspec.Struct, frozen=True):
    """Where a change was recorded: on whose log, at which version."""

    customer: UUID
    version: int


def request_author(request: Request) -> ChangeAuthor:
    """Return the author of a change: a source with its key, or a signed-in user."""
    principal = request_principal(request)
    sender = principal.sender or internal_sources.signed_in_sender(
        *_SIGNED_IN[principal.kind, principal.session_kind]
    )
    return ChangeAuthor(sender, request_actor(request))


def change_shape(outcome: IngestOutcome) -> ChangeShape:
    """Return where an accepted change was recorded."""
    assert outcome.customer_id is not None
    assert outcome.version is not None
    return ChangeShape(outcome.customer_id, outcome.version)


def change_response(outcome: IngestOutcome) -> StoredResponse:
    return StoredResponse(200, encode(change_shape(outcome)))


class ChangingView(CustomerView):
    """An endpoint that changes a record."""

    def handle_exception(self, error: Exception) -> Any:
        to_problem = _PROBLEMS.get(type(error))
        return super().handle_exception(to_problem(error) if to_problem else error)


_PROBLEMS: dict[type[Exception], Callable[[Exception], Problem]] = {
    NoSuchOrder: lambda _: Problem(404, "no-such-order", "The record has no such order."),
    NoSuchLine: lambda _: Problem(409, "no-such-line", "The order has no such line, or no more."),
    NoSuchMember: lambda _: Problem(
        409, "no-such-member", "The party has nobody by this reference."
    ),
    NoSuchRequest: lambda _: Problem(
        404, "no-such-request", "The customer asked for no such thing."
    ),
    OrderNumberInUse: lambda _: Problem(409, "number-taken", "There is an order with this number."),
    OrderClosed: lambda _: Problem(409, "order-closed", "The order was cancelled or refunded."),
    UnverifiedOrder: lambda _: Problem(
        409, "only-claimed", "Nobody has confirmed this order yet; ask the desk to."
    ),
    NoPendingRequest: lambda _: Problem(
        409, "nothing-requested", "The customer asked for nothing that is not settled."
    ),
    UnreachableRecord: lambda _: Problem(
        409,
        "nothing-proved",
        "Everything that leads to this record is only claimed; let the customer prove an "
        "address first, or state one with a secret key.",
    ),
    RejectedChange: lambda error: Problem(
        422, "not-taken", f"The record did not take it: {error}."
    ),
}
