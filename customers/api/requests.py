"""What customers ask a person for: to be called back, and that somebody did."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.permissions import Right, principal
from customers.actions import requests
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import encode, once_only, page_wanted, paged, read_body
from customers.api.writing import Changed, ChangingView, author, changed, place
from customers.consent import history
from customers.queries.shapes import RequestShape

type Words = Annotated[str, Meta(max_length=500)]


class Callback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To be called back; without a time, as soon as may be."""

    subject: Words = ""
    wanted_at: Annotated[datetime, Meta(tz=True)] | None = None


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of it."""

    outcome: Words = ""


class AskedShape(msgspec.Struct, frozen=True):
    """A new request's reference, and where it stands."""

    reference: str
    customer: UUID
    version: int


class RequestsView(ChangingView):
    """A customer's requests."""

    rights: ClassVar = {"GET": Right.READ, "POST": Right.ASK_PERSON}

    @schema.describe(
        "List what the customer asked a person for, newest first",
        answer=schema.pages_of(RequestShape),
        parameters=schema.PAGING,
        tags=("requests",),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_wanted(request)
        return paged(request, history.requests(self.live, cursor=cursor, limit=limit))

    @schema.describe(
        "Ask to be called back",
        body=Callback,
        answer=schema.shape(AskedShape),
        status=201,
        parameters=(schema.ONCE,),
        tags=("requests",),
    )
    def post(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        said = read_body(request, Callback)
        live, by = self.live, author(request)

        def effect() -> StoredResponse:
            asked = requests.request_callback(
                customer_id=live,
                author=by,
                subject=said.subject,
                wanted_at=said.wanted_at,
                now=timezone.now(),
            )
            where = place(asked.outcome)
            shape = AskedShape(asked.reference, where.customer, where.version)
            return StoredResponse(201, encode(shape))

        return once_only(request, effect)


class CloseView(ChangingView):
    """That a request need not be done any more: the customer took it back, or somebody did it."""

    rights: ClassVar = {"POST": Right.ASK_PERSON}

    @schema.describe(
        "Say that a request was answered, or as its customer, that it need not be",
        body=Done,
        answer=schema.shape(Changed),
        parameters=(schema.ONCE,),
        tags=("requests",),
    )
    def post(
        self, request: Request, reference: str, customer_id: UUID | None = None
    ) -> HttpResponse:
        said = read_body(request, Done)
        live, by = self.live, author(request)
        # Only who serves a customer can say that it was done.
        settle = (
            requests.close_request
            if principal(request).kind == "customer"
            else requests.answer_request
        )

        def effect() -> StoredResponse:
            return changed(
                settle(
                    customer_id=live,
                    author=by,
                    reference=reference,
                    outcome=said.outcome,
                    now=timezone.now(),
                )
            )

        return once_only(request, effect)
