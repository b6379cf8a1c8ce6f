"""The base class of the endpoints of consents, preferences and the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from msgspec import Meta
from rest_framework.request import Request

from butler.actions import withdrawal
from customers.access.permissions import request_principal
from customers.actions.internal_events import NoSuchCustomer
from customers.api import schema
from customers.api.base import CustomerView, shape_response
from customers.api.changes import request_author
from customers.api.problems import Problem
from customers.consent.statements import ConsentStatement, InvalidStatement
from customers.queries.shapes import Version

type ShortText = Annotated[str, Meta(min_length=1, max_length=200)]
type ConsentContext = Annotated[
    dict[ShortText, ShortText],
    Meta(
        max_length=20,
        description="How the customer stated it, such as {'kind': 'voice', 'recording': '…'}. A "
        "caller that acts for a customer must send a kind.",
    ),
]

TAG = ("consents",)
LANGUAGE = schema.query(
    "language", "The language of names and notices; the default is Accept-Language"
)


class SentMessageShape(msgspec.Struct, frozen=True):
    """A message that the statements forbid and that was sent before they were in force."""

    message: UUID
    channel: str
    topic: str
    purpose: str
    subject: str
    state: str
    at: datetime


class AcknowledgementShape(msgspec.Struct, frozen=True):
    """The ledger entries with their receipts, and the forbidden messages that were sent before."""

    customer: UUID
    version: Version
    entries: list[UUID]
    receipts: list[Annotated[str, Meta(extra_json_schema={"format": "uri"})]]
    sent_messages: list[SentMessageShape]


class StatementView(CustomerView):
    """An endpoint about the consents and preferences of one customer."""

    needs_contact = True

    def handle_exception(self, error: Exception) -> Any:
        """Map errors of statements to problem responses: 422 and 404."""
        if isinstance(error, InvalidStatement):
            error = Problem(422, error.code.replace("_", "-"), error.detail)
        elif isinstance(error, NoSuchCustomer):
            error = Http404()
        return super().handle_exception(error)

    def record(self, request: Request, statements: Sequence[ConsentStatement]) -> HttpResponse:
        """Record the statements; respond when no message that they forbid can be sent any more."""
        acknowledgement = withdrawal.record_statements(
            customer_id=self.live_id,
            statements=statements,
            author=request_author(request),
            part=self.part,
            now=timezone.now(),
        )
        recorded = acknowledgement.recorded
        return shape_response(
            AcknowledgementShape(
                customer=recorded.customer_id,
                version=recorded.version,
                entries=list(recorded.entries),
                receipts=[self._receipt_url(request, entry) for entry in recorded.entries],
                sent_messages=[
                    SentMessageShape(*message) for message in acknowledgement.sent_messages
                ],
            ),
            version=recorded.version,
        )

    def _receipt_url(self, request: Request, entry: UUID) -> str:
        customer_id = self.kwargs.get("customer_id")
        prefix = f"customers/{customer_id}" if customer_id else "me"
        return request.build_absolute_uri(f"/api/{prefix}/receipts/{entry}/")


def requested_language(request: Request) -> str:
    """Return the language of names and notices in the response."""
    return request.GET.get("language") or get_language() or ""


def statement_evidence(request: Request, evidence: dict[str, str]) -> dict[str, str]:
    """Return the evidence of a statement; for customers themselves it is their session."""
    if request_principal(request).kind == "customer":
        return {"kind": "session", **evidence}
    return evidence
