"""The REST view for stream tickets, for browsers, whose EventSource cannot send headers."""

from typing import ClassVar

import msgspec
from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from channels.live import tickets
from customers.access.permissions import Right, request_principal
from customers.api import schema
from customers.api.base import ApiView, refuse_choice, shape_response
from customers.api.sessions import current_session


class StreamTicketShape(msgspec.Struct, frozen=True):
    """A ticket that opens one stream within `expires_in` seconds, as `?ticket=` of the URL."""

    ticket: str
    url: str
    expires_in: int


class StreamTicketView(ApiView):
    """Issue stream tickets. Each request gets a new ticket, so an Idempotency-Key has no effect."""

    rights: ClassVar = {"POST": Right.OWN_STREAM}

    @schema.describe(
        "Get a ticket for the live stream of your own record",
        answer=schema.shape(StreamTicketShape),
        status=201,
        location="",
        tags=("live",),
        auth=["token", "account", "key", "cookie"],
        problems=(409,),
    )
    def post(self, request: Request) -> HttpResponse:
        ticket = _issue(request)
        url = f"{settings.LIVE_URL}/live/me?ticket={ticket}"
        seconds = int(tickets.LIFETIME.total_seconds())
        response = shape_response(StreamTicketShape(ticket, url, seconds), status=201)
        # The stream is at another server, so its address does not follow the one of the request.
        response["Location"] = url
        response["Cache-Control"] = "no-store"
        return response


def _issue(request: Request) -> str:
    """Return a ticket for the stream of the principal. Raises Problem or Http404 without a stream."""
    principal = request_principal(request)
    refuse_choice(principal)
    if principal.session_kind != "account":
        return tickets.issue(session_key=current_session(request), now=timezone.now())
    if principal.opened is None:
        raise Http404
    return tickets.issue(account=principal.account_proof, now=timezone.now())
