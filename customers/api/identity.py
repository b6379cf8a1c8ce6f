"""Endpoints of the identifiers of a record, and of the decisions of staff about them."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.permissions import Right, request_actor, request_principal
from customers.actions import identity as actions
from customers.actions.idempotency import StoredResponse
from customers.actions.proved_addresses import TakesProvedAddress
from customers.actions.refiling import AmbiguousIdentifier, UnknownIdentifier
from customers.api import schema
from customers.api.base import (
    CustomerView,
    encode,
    idempotent_response,
    or_404,
    page_response,
    read_body,
    split_identifier,
)
from customers.api.problems import Problem
from customers.api.refiling import ambiguous_identifier, unknown_identifier
from customers.identity.decisions import DecisionAlreadyUndone
from customers.queries import identity
from customers.queries.identity import HeldIdentifierShape, ManualDecisionShape
from customers.queries.pages import Page

type _Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two identifiers, such as email:noor@example.com or user_id:3/1001, or their ids."""

    kind: Literal["merge", "separate"]
    first: str | int
    second: str | int
    reason: _Reason


class UndoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the decision was wrong."""

    reason: Annotated[str, Meta(max_length=200)] = ""


class IdentifiersView(CustomerView):
    """The identifiers of a record."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List the identifiers of a record, with their evidence and their contested links",
        answer=schema.pages_of(HeldIdentifierShape),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        return page_response(request, Page(identity.identifiers(self.live_id, part=self.part)))


def takes_proved_address(_: Exception) -> Problem:
    """Return the problem of a separation that takes a proved address off."""
    return Problem(
        409,
        "proved-address",
        "This takes a proved address off. Propose it at address-changes/: two colleagues decide.",
    )


_PROBLEMS: Mapping[type[Exception], Callable[[Exception], Exception]] = {
    UnknownIdentifier: unknown_identifier,
    AmbiguousIdentifier: ambiguous_identifier,
    actions.SameIdentifier: lambda _: Problem(
        409, "same-identifier", "Both identifiers are the same. Name two."
    ),
    actions.IdentifierOfAnotherRecord: lambda _: Problem(
        409, "other-record", "This record has neither of the two identifiers."
    ),
    TakesProvedAddress: takes_proved_address,
    DecisionAlreadyUndone: lambda _: Problem(409, "undone", "This decision is already undone."),
}


class DecisionsView(CustomerView):
    """The decisions of staff about the identifiers of a record."""

    rights: ClassVar = {"GET": Right.READ_REVIEWS, "POST": Right.SETTLE_REVIEW}
    problems = _PROBLEMS

    @schema.describe(
        "List the decisions about identifiers of a record, newest first",
        answer=schema.pages_of(ManualDecisionShape),
        tags=("reviews",),
    )
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        return page_response(request, Page(identity.decisions(self.live_id)))

    @schema.describe(
        "Merge or separate two identifiers",
        body=DecisionBody,
        answer=schema.shape(ManualDecisionShape),
        status=201,
        location="",
        other_responses={
            200: ("The same decision counts already.", schema.shape(ManualDecisionShape)),
        },
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("reviews",),
    )
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        body = read_body(request, DecisionBody)
        sender = request_principal(request).sender
        live_id = self.live_id

        def effect() -> StoredResponse:
            decision, is_new = actions.decide(
                customer_id=live_id,
                kind=body.kind,
                first=_identifier_name(body.first),
                second=_identifier_name(body.second),
                reason=body.reason,
                actor=request_actor(request),
                now=timezone.now(),
                region=(sender.default_region if sender else None) or settings.BUTLER_COUNTRY,
            )
            return _response(decision.pk, status=201 if is_new else 200)

        return idempotent_response(request, effect)


class UndoDecisionView(CustomerView):
    """Undoes a decision."""

    rights: ClassVar = {"POST": Right.SETTLE_REVIEW}
    problems = _PROBLEMS

    @schema.describe(
        "Undo a decision: the records are then as if nobody had made it",
        body=UndoBody,
        answer=schema.shape(ManualDecisionShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("reviews",),
        problems=(409,),
    )
    def post(self, request: Request, customer_id: UUID, decision_id: int) -> HttpResponse:
        body = read_body(request, UndoBody)
        live_id = self.live_id

        def effect() -> StoredResponse:
            decision = or_404(
                actions.undo_decision(
                    customer_id=live_id,
                    decision_id=decision_id,
                    reason=body.reason,
                    actor=request_actor(request),
                    now=timezone.now(),
                )
            )
            return _response(decision.pk, status=200)

        return idempotent_response(request, effect)


def _identifier_name(name: str | int) -> tuple[str, str] | int:
    return name if isinstance(name, int) else split_identifier(name)


def _response(decision_id: int, *, status: int) -> StoredResponse:
    return StoredResponse(status, encode(identity.decision(decision_id)))
