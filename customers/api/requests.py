"""Endpoints of service requests, such as a call back."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.permissions import Right, request_principal
from customers.actions import requests
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    encode,
    idempotent_response,
    page_parameters,
    page_response,
    read_body,
)
from customers.api.changes import (
    ChangeShape,
    ChangingView,
    change_response,
    change_shape,
    request_author,
)
from customers.queries import lists
from customers.queries.shapes import RequestShape

type ShortText = Annotated[str, Meta(max_length=500)]


class CallbackRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a call back. Without a time, the call is wanted as soon as possible."""

    subject: ShortText = ""
    wanted_at: Annotated[datetime, Meta(tz=True)] | None = None


class RequestOutcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the request ended."""

    outcome: ShortText = ""


class NewRequestShape(msgspec.Struct, frozen=True):
    """The reference of a new request, and the log and version of its event."""

    reference: str
    customer: UUID
    version: int


class RequestsView(ChangingView):
    """The service requests of a customer."""

    rights: ClassVar = {"GET": Right.READ, "POST": Right.MAKE_REQUEST}

    @schema.describe(
        "List the customer's service requests, newest first",
        answer=schema.pages_of(RequestShape),
        parameters=schema.PAGING,
        tags=("requests",),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        page = lists.requests(self.live_id, cursor=cursor, limit=limit, part=self.part)
        return page_response(request, page)

    @schema.describe(
        "Request a call back",
        body=CallbackRequest,
        answer=schema.shape(NewRequestShape),
        status=201,
        location="",
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("requests",),
    )
    def post(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        body = read_body(request, CallbackRequest)
        live, author = self.live_id, request_author(request)

        def effect() -> StoredResponse:
            callback = requests.request_callback(
                customer_id=live,
                author=author,
                subject=body.subject,
                wanted_at=body.wanted_at,
                now=timezone.now(),
            )
            receipt = change_shape(callback.outcome)
            shape = NewRequestShape(callback.reference, receipt.customer, receipt.version)
            return StoredResponse(201, encode(shape))

        return idempotent_response(request, effect)


class CloseView(ChangingView):
    """Closes a request: the customer withdrew it, or staff answered it."""

    rights: ClassVar = {"POST": Right.MAKE_REQUEST}

    @schema.describe(
        "Record that staff answered a request; customers withdraw their request",
        body=RequestOutcome,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("requests",),
    )
    def post(
        self, request: Request, reference: str, customer_id: UUID | None = None
    ) -> HttpResponse:
        body = read_body(request, RequestOutcome)
        live, author = self.live_id, request_author(request)
        if not lists.has_request(live, reference, part=self.part):
            raise requests.NoSuchRequest
        # Only staff and sources can record that a request was answered.
        close = (
            requests.close_request
            if request_principal(request).kind == "customer"
            else requests.answer_request
        )

        def effect() -> StoredResponse:
            return change_response(
                close(
                    customer_id=live,
                    author=author,
                    reference=reference,
                    outcome=body.outcome,
                    now=timezone.now(),
                )
            )

        return idempotent_response(request, effect)
