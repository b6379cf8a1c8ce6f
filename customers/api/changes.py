"""The base of endpoints that change a record: the author, and problem documents."""

from collections.abc import Callable, Mapping
from uuid import UUID

import msgspec
from rest_framework.request import Request

from customers.access.permissions import request_actor, request_principal
from customers.actions.changes import ChangeAuthor, RejectedChange, UnreachableRecord
from customers.actions.idempotency import StoredResponse
from customers.actions.order_requests import (
    MAX_PENDING_REQUESTS,
    MAX_REQUEST_SIZE,
    AlreadyAnswered,
    NoPendingRequest,
    OtherSource,
    RequestTooLarge,
    TooManyPendingRequests,
)
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
from customers.types import (
    CUSTOMER_APP,
    CUSTOMER_PORTAL,
    STAFF_APP,
    STAFF_CONSOLE,
    IngestOutcome,
)

# The name and channel of the source for signed-in users, by kind of principal and session.
_SIGNED_IN = {
    ("staff", "cookie"): (STAFF_CONSOLE, "console"),
    ("staff", "token"): (STAFF_APP, "console"),
    ("customer", "cookie"): (CUSTOMER_PORTAL, "web"),
    ("customer", "token"): (CUSTOMER_APP, "app"),
    ("customer", "account"): (CUSTOMER_APP, "app"),
}


class ChangeShape(msgspec.Struct, frozen=True):
    """The place of a change: the record with the log, and the version on that log."""

    customer: UUID
    version: int


def request_author(request: Request) -> ChangeAuthor:
    """Return the author of a change: a source with its key, or a signed-in user."""
    principal = request_principal(request)
    sender = principal.sender or internal_sources.signed_in_sender(
        *_SIGNED_IN[principal.kind, principal.session_kind]
    )
    opened_ids = principal.part.identifier_ids if principal.part else frozenset[int]()
    return ChangeAuthor(sender, request_actor(request), opened_ids)


def change_shape(outcome: IngestOutcome) -> ChangeShape:
    """Return the place of an accepted change."""
    assert outcome.customer_id is not None
    assert outcome.version is not None
    return ChangeShape(outcome.customer_id, outcome.version)


def change_response(outcome: IngestOutcome) -> StoredResponse:
    """Return a response (200) with the place of an accepted change."""
    return StoredResponse(200, encode(change_shape(outcome)))


def already_answered(error: Exception) -> Problem:
    """Return the problem of a request with another answer: the answer, its author and its time."""
    assert isinstance(error, AlreadyAnswered)
    request = error.request
    answered = f"{request.state} by {request.decided_by} at {request.decided_at}"
    return Problem(409, "already-answered", f"The request was {answered}.")


PROBLEMS: Mapping[type[Exception], Callable[[Exception], Problem]] = {
    NoSuchOrder: lambda _: Problem(404, "no-such-order", "This customer does not have this order."),
    NoSuchLine: lambda _: Problem(
        409, "no-such-line", "The order does not have this line, or the line is cancelled."
    ),
    NoSuchMember: lambda _: Problem(
        409, "no-such-member", "The party has no member with this reference."
    ),
    NoSuchRequest: lambda _: Problem(
        404, "no-such-request", "The customer has no request with this reference."
    ),
    OrderNumberInUse: lambda _: Problem(
        409, "number-taken", "Another order already has this number."
    ),
    OrderClosed: lambda _: Problem(
        409, "order-closed", "The order is cancelled, refunded or declined."
    ),
    UnverifiedOrder: lambda _: Problem(
        409, "only-claimed", "The order is not confirmed yet. Ask staff to confirm it first."
    ),
    TooManyPendingRequests: lambda _: Problem(
        409,
        "too-many-requests-pending",
        f"Staff have not answered {MAX_PENDING_REQUESTS} requests about this order yet.",
    ),
    RequestTooLarge: lambda _: Problem(
        422, "request-too-large", f"A request has at most {MAX_REQUEST_SIZE} bytes."
    ),
    NoPendingRequest: lambda _: Problem(
        409, "nothing-requested", "The customer has no open request about this order."
    ),
    AlreadyAnswered: lambda error: already_answered(error),
    OtherSource: lambda _: Problem(404, "no-such-order", "This customer does not have this order."),
    UnreachableRecord: lambda _: Problem(
        409,
        "nothing-proved",
        "This record has no verified identifier. Let the customer sign in once, or send a "
        "verified identifier with a secret key.",
    ),
    RejectedChange: lambda error: Problem(
        422, "not-taken", f"Butler did not accept the change: {error}."
    ),
}


class ChangingView(CustomerView):
    """An endpoint that changes a record."""

    problems = PROBLEMS
