"""Endpoints of the tickets of an order: their codes, and new codes."""

from typing import ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.permissions import Principal, Right, request_principal
from customers.access.sessions import session_proofs
from customers.actions import ticket_codes
from customers.actions.idempotency import StoredResponse
from customers.actions.orders import NoSuchOrder
from customers.api import schema
from customers.api.base import encode, idempotent_response, or_404, read_body, to_response
from customers.api.changes import ChangingView
from customers.api.order_changes import order_target
from customers.api.problems import Problem
from customers.identity.openable_graph import read_openable
from customers.queries import lists

_TAGS = ("orders",)


class TicketShape(msgspec.Struct, frozen=True):
    """A ticket: `guest` is empty for a ticket of the whole order, `name` for an unknown name."""

    guest: str
    name: str
    code: str


class TicketsShape(msgspec.Struct, frozen=True):
    """The tickets of an order."""

    tickets: list[TicketShape]


class NewCodesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The guest whose code to replace; without it, the codes of all guests."""

    guest: str | None = None


class TicketsView(ChangingView):
    """The tickets of an order. Codes are secrets, so a key that only reads does not see them."""

    rights: ClassVar = {"GET": Right.CHANGE_ORDER, "POST": Right.CHANGE_ORDER}

    @schema.describe(
        "Read the codes of the tickets of an order", answer=schema.shape(TicketsShape), tags=_TAGS
    )
    def get(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        or_404(lists.order(self.live_id, number, part=self.part))
        tickets = ticket_codes.read_tickets(
            customer_id=self.live_id, number=number, now=timezone.now()
        )
        return to_response(_response(tickets))

    @schema.describe(
        "Replace the codes of an order; the earlier codes end at once",
        body=NewCodesBody,
        answer=schema.shape(TicketsShape),
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=_TAGS,
    )
    def post(self, request: Request, number: str, customer_id: UUID | None = None) -> HttpResponse:
        guest = read_body(request, NewCodesBody).guest
        target = order_target(self, request, number)
        proved = _proved_ids(request_principal(request))

        def effect() -> StoredResponse:
            try:
                ticket_codes.require_handover(target, proved)
                ticket_codes.replace_codes(target=target, guest=guest)
            except ticket_codes.NoTicket:
                message = "The order has no ticket for this guest."
                raise Problem(409, "no-ticket", message) from None
            except ticket_codes.UnconfirmedAccount:
                message = "Confirm the address of the account with a code first."
                raise Problem(403, "address-not-confirmed", message) from None
            # The stored answer has no codes. The client reads them.
            return StoredResponse(200, encode(TicketsShape([])))

        stored = idempotent_response(request, effect)
        if stored.status_code != 200:
            return stored
        return to_response(
            _response(
                ticket_codes.read_tickets(
                    customer_id=self.live_id, number=number, now=timezone.now()
                )
            )
        )


def _response(tickets: list[ticket_codes.Ticket]) -> StoredResponse:
    shapes = [TicketShape(ticket.guest, ticket.name, ticket.code) for ticket in tickets]
    return StoredResponse(200, encode(TicketsShape(shapes)))


def _proved_ids(principal: Principal) -> frozenset[int] | None:
    """Return the identifiers that the session of a customer proved.

    None for staff and keys, and for a customer whose account a token proves.
    """
    if principal.kind != "customer" or principal.session_kind == "account":
        return None
    if principal.user is None or principal.session is None:
        raise NoSuchOrder
    return frozenset(read_openable(session_proofs(principal.user, principal.session)).proved)
