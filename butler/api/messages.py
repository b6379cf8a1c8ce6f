"""Endpoints of messages to a customer, of decisions, and of the access log."""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from butler.actions import inbox as actions
from butler.queries import decisions, inbox
from butler.types import Gate
from customers.access.permissions import Right
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    CustomerView,
    encode,
    idempotent_response,
    log_request_access,
    or_404,
    page_parameters,
    page_response,
    read_body,
    read_query,
    shape_response,
)

# The gates of a decision, which the query returns as they are stored.
schema.shape(Gate)


class _AllRecordsView(CustomerView):
    """An endpoint that reads all records of one customer."""

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Return the ids of all records of the customer; raise Http404 if there is none."""
        return or_404(inbox.resolve_customer(self.customer_id)).ids


class MessagesView(_AllRecordsView):
    """The messages to a customer."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List messages of every channel, newest first",
        answer=schema.pages_of(inbox.MessageShape),
        parameters=schema.PAGING,
        tags=("messages",),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        return page_response(
            request, inbox.messages(self.ids, cursor=cursor, limit=limit, part=self.part)
        )


class MessageView(_AllRecordsView):
    """One message."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe("Read a message", answer=schema.shape(inbox.MessageShape), tags=("messages",))
    def get(
        self, request: Request, message_id: UUID, customer_id: UUID | None = None
    ) -> HttpResponse:
        return shape_response(or_404(inbox.message(self.ids, message_id, part=self.part)))


class EmptyBody(msgspec.Struct, forbid_unknown_fields=True):
    """An empty body."""


class MarkMessageReadView(_AllRecordsView):
    """Marks a message as read."""

    rights: ClassVar = {"POST": Right.MARK_READ}

    @schema.describe(
        "Mark a message as read",
        body=EmptyBody,
        answer=schema.shape(inbox.MessageShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("messages",),
    )
    def post(
        self, request: Request, message_id: UUID, customer_id: UUID | None = None
    ) -> HttpResponse:
        read_body(request, EmptyBody)
        ids, part = self.ids, self.part
        or_404(inbox.message(ids, message_id, part=part))

        def effect() -> StoredResponse:
            actions.mark_read(ids=ids, message_id=message_id, now=timezone.now())
            shape = or_404(inbox.message(ids, message_id, part=part))
            log_request_access(request, [ids[0]], what="messages")
            return StoredResponse(200, encode(shape))

        return idempotent_response(request, effect)


class _DecisionQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query of the list of decisions."""

    sent: Literal["yes", "no"] | None = None
    cursor: str | None = None
    limit: str | None = None


class DecisionsView(_AllRecordsView):
    """The decisions about a customer."""

    needs_contact = True

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List the decisions to send or not to send, with the gate of every check, newest first",
        answer=schema.pages_of(decisions.OccasionShape),
        parameters=(
            schema.query(
                "sent",
                "Only occasions with (yes) or without (no) a sent message",
                {"enum": ["yes", "no"]},
            ),
            *schema.PAGING,
        ),
        tags=("messages",),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        sent = read_query(request, _DecisionQuery).sent
        is_sent = None if sent is None else sent == "yes"
        return page_response(
            request,
            decisions.occasions(
                self.ids, is_sent=is_sent, cursor=cursor, limit=limit, part=self.part
            ),
        )


class AccessLogView(_AllRecordsView):
    """The access log of the record."""

    needs_contact = True

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List the entries of the access log, newest first",
        answer=schema.pages_of(decisions.AccessLogEntryShape),
        parameters=schema.PAGING,
        tags=("messages",),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        return page_response(
            request, decisions.access_log(self.ids, cursor=cursor, limit=limit, part=self.part)
        )
