"""The REST view for stream tickets, for browsers, whose EventSource cannot send headers."""

from typing import ClassVar

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from channels.live import tickets
from customers.access.permissions import Right
from customers.api import schema
from customers.api.base import ApiView, shape_response
from customers.api.sessions import current_session


class StreamTicketShape(msgspec.Struct, frozen=True):
    """A ticket that opens one stream within `expires_in` seconds, as `?ticket=` of the URL."""

    ticket: str
    url: str
    expires_in: int


class StreamTicketView(ApiView):
    """Issue stream tickets. Each request gets a new ticket, so an Idempotency-Key has no effect."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Get a ticket for the live stream of your own record",
        answer=schema.shape(StreamTicketShape),
        status=201,
        tags=("live",),
        auth=["token", "cookie"],
    )
    def post(self, request: Request) -> HttpResponse:
        session = current_session(request)
        ticket = tickets.issue(session_key=session, now=timezone.now())
        response = shape_response(
            StreamTicketShape(
                ticket=ticket,
                url=f"{settings.LIVE_URL}/live/me?ticket={ticket}",
                expires_in=int(tickets.LIFETIME.total_seconds()),
            ),
            status=201,
        )
        response["Cache-Control"] = "no-store"
        return response
