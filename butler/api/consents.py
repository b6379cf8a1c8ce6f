"""Endpoints of consents and objections."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from butler.api.statements import (
    LANGUAGE,
    TAG,
    AcknowledgementShape,
    ConsentContext,
    StatementView,
    requested_language,
    statement_evidence,
)
from customers.access.permissions import Right
from customers.api import schema
from customers.api.base import read_body, shape_response
from customers.consent import purpose_texts, state_reader
from customers.consent.state import State, may_ask
from customers.consent.statements import ConsentStatement
from customers.queries.consent_shapes import PurposeShape

type ConsentStateName = Literal[
    "given", "refused", "withdrawn", "expired", "invalidated", "unknown"
]

_ANSWERS = {
    "give": "consent.given",
    "refuse": "consent.refused",
    "withdraw": "consent.withdrawn",
}


class ConsentShape(msgspec.Struct, frozen=True):
    """A purpose and the customer's consent to it."""

    purpose: PurposeShape
    state: ConsentStateName
    entry: UUID | None = None
    notice: str = ""
    occurred_at: datetime | None = None
    valid_until: datetime | None = None
    reask_not_before: datetime | None = None
    # Whether a page may ask for the consent now. The customer can always change the answer.
    may_ask: bool = False
    # The ledger entry of the objection to this purpose.
    objection: UUID | None = None


class ConsentsShape(msgspec.Struct, frozen=True):
    """Every purpose with the customer's consent, and every objection."""

    consents: list[ConsentShape]
    objections: dict[str, UUID]


class ConsentAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to one purpose; `notice` is the digest of the text that was shown."""

    answer: Literal["give", "refuse", "withdraw"]
    notice: Annotated[str, Meta(max_length=64)] = ""
    language: Annotated[str, Meta(max_length=8)] = ""
    evidence: ConsentContext = {}
    occurred_at: schema.Moment | None = None
    valid_until: schema.Moment | None = None


class ObjectionAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An objection, or its withdrawal (`lift`)."""

    answer: Literal["object", "lift"]
    evidence: ConsentContext = {}
    occurred_at: schema.Moment | None = None


class ConsentsView(StatementView):
    """The purposes and the customer's consents."""

    rights: ClassVar = {"GET": Right.READ_CONSENTS}

    @schema.describe(
        "Read every purpose with the customer's answer and its current notice",
        answer=schema.shape(ConsentsShape),
        parameters=(LANGUAGE,),
        tags=TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        state, now = state_reader.read_state(self.live_id, part=self.part), timezone.now()
        objections = {subject: UUID(entry) for subject, entry in state.objections.items()}
        consents = [
            _consent_shape(purpose, state, objections.get(purpose.key), now)
            for purpose in purpose_texts.purposes(requested_language(request))
        ]
        return shape_response(ConsentsShape(consents, objections))


def _consent_shape(
    purpose: PurposeShape, state: State, objection: UUID | None, now: datetime
) -> ConsentShape:
    consent = state.consents.get(purpose.key)
    asks = purpose.is_offered and may_ask(state, purpose.key, now)
    if consent is None:
        return ConsentShape(purpose, "unknown", may_ask=asks, objection=objection)
    return ConsentShape(
        purpose=purpose,
        state=consent.state,
        entry=UUID(consent.entry),
        notice=consent.notice,
        occurred_at=consent.occurred_at,
        valid_until=consent.valid_until,
        reask_not_before=consent.reask_not_before,
        may_ask=asks,
        objection=objection,
    )


class ConsentView(StatementView):
    """The consent to one purpose."""

    rights: ClassVar = {"PUT": Right.CHANGE_CONSENTS}

    @schema.describe(
        "Give, refuse or withdraw a consent; returns the messages that were already sent",
        body=ConsentAnswer,
        answer=schema.shape(AcknowledgementShape),
        tags=TAG,
    )
    def put(self, request: Request, purpose: str, customer_id: UUID | None = None) -> HttpResponse:
        body = read_body(request, ConsentAnswer)
        statement = ConsentStatement(
            kind=_ANSWERS[body.answer],
            subject=purpose,
            notice=body.notice,
            language=body.language,
            evidence=statement_evidence(request, body.evidence),
            occurred_at=body.occurred_at,
            valid_until=body.valid_until,
        )
        return self.record(request, [statement])


class ObjectionView(StatementView):
    """An objection to one purpose, or to all marketing."""

    rights: ClassVar = {"PUT": Right.CHANGE_CONSENTS}

    @schema.describe(
        "Object to a purpose, or to all marketing; or lift the objection",
        body=ObjectionAnswer,
        answer=schema.shape(AcknowledgementShape),
        tags=TAG,
    )
    def put(self, request: Request, subject: str, customer_id: UUID | None = None) -> HttpResponse:
        body = read_body(request, ObjectionAnswer)
        statement = ConsentStatement(
            kind="objection.made" if body.answer == "object" else "objection.lifted",
            subject=subject,
            evidence=statement_evidence(request, body.evidence),
            occurred_at=body.occurred_at,
        )
        return self.record(request, [statement])
