"""Endpoints of consents, objections, preferences, and the ledger that proves them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from msgspec import Meta
from rest_framework.request import Request

from butler.actions import withdrawal
from customers.access.permissions import Right, request_principal
from customers.actions.consent import ConsentStatement, InvalidStatement, NoSuchCustomer
from customers.api import schema
from customers.api.base import (
    CustomerView,
    or_404,
    page_parameters,
    page_response,
    read_body,
    shape_response,
)
from customers.api.changes import request_author
from customers.api.problems import Problem
from customers.consent import history
from customers.consent.state import may_ask
from customers.queries.shapes import Json, LedgerEntryShape, PurposeShape, TopicShape, Version

type Fact = Annotated[str, Meta(min_length=1, max_length=200)]
type Moment = Annotated[datetime, Meta(tz=True)]
type Evidence = Annotated[
    dict[Fact, Fact],
    Meta(
        max_length=20,
        description="How it was said, such as {'kind': 'voice', 'recording': '…'}. Whoever speaks "
        "for a customer has to give a kind.",
    ),
]
type ConsentStateName = Literal[
    "given", "refused", "withdrawn", "expired", "invalidated", "unknown"
]

_TAG = ("control",)
_LANGUAGE = schema.query("language", "Of names and notices; else what Accept-Language says")


class ConsentShape(msgspec.Struct, frozen=True):
    """A purpose and the customer's consent to it."""

    purpose: PurposeShape
    state: ConsentStateName
    entry: UUID | None = None
    notice: str = ""
    occurred_at: datetime | None = None
    valid_until: datetime | None = None
    reask_not_before: datetime | None = None
    # Whether to ask now, where the customer did not bring it up; changing it is always possible.
    may_ask: bool = False
    # The entry that objects to it.
    objection: UUID | None = None


class ConsentsShape(msgspec.Struct, frozen=True):
    """Every purpose with its answer, and every objection."""

    consents: list[ConsentShape]
    objections: dict[str, UUID]


class ConsentAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to one purpose; `notice` is the digest of the words that were shown."""

    answer: Literal["give", "refuse", "withdraw"]
    notice: Annotated[str, Meta(max_length=64)] = ""
    language: Annotated[str, Meta(max_length=8)] = ""
    evidence: Evidence = {}
    occurred_at: Moment | None = None
    valid_until: Moment | None = None


class ObjectionAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To object, or to take it back."""

    answer: Literal["object", "lift"]
    evidence: Evidence = {}
    occurred_at: Moment | None = None


class SettingShape(msgspec.Struct, frozen=True):
    """One preference as it stands; "*" is every channel, every topic."""

    name: str
    value: Json
    channel: str
    topic: str
    entry: UUID


class PreferencesShape(msgspec.Struct, frozen=True):
    """Every preference that was set, and what there is to set it for."""

    settings: list[SettingShape]
    topics: list[TopicShape]


class PreferenceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A preference to set, or with `clear` to forget."""

    name: Fact
    value: Any = None
    channel: Fact = "*"
    topic: Fact = "*"
    clear: bool = False


class PreferenceChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Preferences to change, all or none."""

    changes: Annotated[list[PreferenceChange], Meta(min_length=1, max_length=50)]
    evidence: Evidence = {}
    occurred_at: Moment | None = None


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
    sent_messages: list[SentMessageShape] = msgspec.field(name="left")


class _ControlView(CustomerView):
    """An endpoint about the consents and preferences of one customer."""

    def handle_exception(self, error: Exception) -> Any:
        if isinstance(error, InvalidStatement):
            error = Problem(422, error.code.replace("_", "-"), error.detail)
        elif isinstance(error, NoSuchCustomer):
            error = Http404()
        return super().handle_exception(error)

    def record(self, request: Request, statements: Sequence[ConsentStatement]) -> HttpResponse:
        """Record the statements; answer once no message that they forbid can be sent."""
        acknowledgement = withdrawal.record_statements(
            customer_id=self.live_id,
            statements=statements,
            author=request_author(request),
            now=timezone.now(),
        )
        receipt = acknowledgement.receipt
        return shape_response(
            AcknowledgementShape(
                customer=receipt.customer_id,
                version=receipt.version,
                entries=list(receipt.entries),
                receipts=[self._receipt_url(request, entry) for entry in receipt.entries],
                sent_messages=[
                    SentMessageShape(*message) for message in acknowledgement.sent_messages
                ],
            ),
            version=receipt.version,
        )

    def _receipt_url(self, request: Request, entry: UUID) -> str:
        customer_id = self.kwargs.get("customer_id")
        prefix = f"customers/{customer_id}" if customer_id else "me"
        return request.build_absolute_uri(f"/api/{prefix}/receipts/{entry}/")


class ConsentsView(_ControlView):
    """The purposes and the customer's consents."""

    rights: ClassVar = {"GET": Right.READ_CONTROL}

    @schema.describe(
        "Read every purpose with the customer's answer and the words shown today",
        answer=schema.shape(ConsentsShape),
        parameters=(_LANGUAGE,),
        tags=_TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        state, now = history.current_state(self.live_id), timezone.now()
        objections = {subject: UUID(entry) for subject, entry in state.objections.items()}
        consents = []
        for purpose in history.purposes(_language(request)):
            consent, objection = state.consents.get(purpose.key), objections.get(purpose.key)
            asks = purpose.is_offered and may_ask(state, purpose.key, now)
            if consent is None:
                consents.append(ConsentShape(purpose, "unknown", may_ask=asks, objection=objection))
                continue
            consents.append(
                ConsentShape(
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
            )
        return shape_response(ConsentsShape(consents, objections))


class ConsentView(_ControlView):
    """The answer to one purpose."""

    rights: ClassVar = {"PUT": Right.CHANGE_CONTROL}

    @schema.describe(
        "Give, refuse or withdraw a consent; answers with what had already left",
        body=ConsentAnswer,
        answer=schema.shape(AcknowledgementShape),
        tags=_TAG,
    )
    def put(self, request: Request, purpose: str, customer_id: UUID | None = None) -> HttpResponse:
        body = read_body(request, ConsentAnswer)
        statement = ConsentStatement(
            kind=_ANSWERS[body.answer],
            subject=purpose,
            notice=body.notice,
            language=body.language,
            evidence=_evidence(request, body.evidence),
            occurred_at=body.occurred_at,
            valid_until=body.valid_until,
        )
        return self.record(request, [statement])


class ObjectionView(_ControlView):
    """An objection to one purpose, or to all marketing."""

    rights: ClassVar = {"PUT": Right.CHANGE_CONTROL}

    @schema.describe(
        "Object to a purpose, or to all marketing; or lift the objection",
        body=ObjectionAnswer,
        answer=schema.shape(AcknowledgementShape),
        tags=_TAG,
    )
    def put(self, request: Request, subject: str, customer_id: UUID | None = None) -> HttpResponse:
        body = read_body(request, ObjectionAnswer)
        statement = ConsentStatement(
            kind="objection.made" if body.answer == "object" else "objection.lifted",
            subject=subject,
            evidence=_evidence(request, body.evidence),
            occurred_at=body.occurred_at,
        )
        return self.record(request, [statement])


class PreferencesView(_ControlView):
    """How the customer wants to be reached."""

    rights: ClassVar = {"GET": Right.READ_CONTROL, "PATCH": Right.CHANGE_CONTROL}

    @schema.describe(
        "Read the preferences that were set",
        answer=schema.shape(PreferencesShape),
        parameters=(_LANGUAGE,),
        tags=_TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        settings = [
            SettingShape(
                name=setting.name,
                value=msgspec.Raw(msgspec.json.encode(setting.value)),
                channel=setting.channel,
                topic=setting.topic,
                entry=UUID(setting.entry),
            )
            for setting in history.current_state(self.live_id).settings
        ]
        return shape_response(PreferencesShape(settings, history.topics(_language(request))))

    @schema.describe(
        "Set preferences, or clear them; answers with what had already left",
        body=PreferenceChanges,
        answer=schema.shape(AcknowledgementShape),
        tags=_TAG,
    )
    def patch(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        body = read_body(request, PreferenceChanges)
        evidence = _evidence(request, body.evidence)
        statements = [
            ConsentStatement(
                kind="preference.cleared" if change.clear else "preference.set",
                subject=change.name,
                value=change.value,
                channel=change.channel,
                topic=change.topic,
                evidence=evidence,
                occurred_at=body.occurred_at,
            )
            for change in body.changes
        ]
        return self.record(request, statements)


class LedgerView(_ControlView):
    """Everything that was body."""

    rights: ClassVar = {"GET": Right.READ_CONTROL}

    @schema.describe(
        "List the entries of the ledger, newest first",
        answer=schema.pages_of(LedgerEntryShape),
        parameters=schema.PAGING,
        tags=_TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        cursor, limit = page_parameters(request)
        return page_response(
            request, history.ledger_entries(self.live_id, cursor=cursor, limit=limit)
        )


class ExportView(_ControlView):
    """The whole ledger as a file that can be verified."""

    rights: ClassVar = {"GET": Right.READ_CONTROL}

    @schema.describe(
        "Download the whole ledger with the receipt of every entry",
        answer={"type": "object"},
        tags=_TAG,
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        return _download(history.export_ledger(self.live_id), "ledger.json")


class ReceiptView(_ControlView):
    """The receipt of one entry."""

    rights: ClassVar = {"GET": Right.READ_CONTROL}

    @schema.describe(
        "Download the signed receipt of an entry", answer={"type": "object"}, tags=_TAG
    )
    def get(
        self, request: Request, entry_id: UUID, customer_id: UUID | None = None
    ) -> HttpResponse:
        return _download(
            or_404(history.receipt(self.live_id, entry_id)), f"receipt-{entry_id}.json"
        )


def _download(body: bytes, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _language(request: Request) -> str:
    return request.GET.get("language") or get_language() or ""


def _evidence(request: Request, evidence: dict[str, str]) -> dict[str, str]:
    """Return the evidence of a statement; for customers themselves it is their session."""
    if request_principal(request).kind == "customer":
        return {"kind": "session", **evidence}
    return evidence


_ANSWERS = {
    "give": "consent.given",
    "refuse": "consent.refused",
    "withdraw": "consent.withdrawn",
}
