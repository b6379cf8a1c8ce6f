"""The endpoint that erases a customer."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.permissions import Right, request_actor
from customers.actions import erasure as actions
from customers.actions.idempotency import StoredResponse
from customers.actions.internal_events import NoSuchCustomer
from customers.api import schema
from customers.api.base import CustomerView, encode, idempotent_response, read_body


class EraseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the customer is erased, such as "asked by letter". It names no customer."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


class ErasureShape(msgspec.Struct, frozen=True):
    """An erasure of a live record."""

    customer: UUID
    erased_at: datetime
    actor: str
    reason: str


class EraseView(CustomerView):
    """Erases a record."""

    rights: ClassVar = {"POST": Right.ERASE}
    problems: ClassVar = {NoSuchCustomer: lambda _: Http404()}

    @schema.describe(
        "Erase a customer",
        body=EraseBody,
        answer=schema.shape(ErasureShape),
        status=201,
        location="",
        other_responses={
            200: ("The customer was erased before.", schema.shape(ErasureShape)),
        },
        parameters=(schema.IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        body = read_body(request, EraseBody)

        def effect() -> StoredResponse:
            erasure, is_new = actions.erase(
                customer_id=customer_id,
                reason=body.reason,
                actor=request_actor(request),
                now=timezone.now(),
            )
            answer = ErasureShape(
                erasure.customer_id, erasure.erased_at, erasure.actor, erasure.reason
            )
            return StoredResponse(201 if is_new else 200, encode(answer))

        return idempotent_response(request, effect)
