"""The endpoint that files an event on another identifier."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.permissions import Right, request_actor, request_principal
from customers.actions import refiling as actions
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    CustomerView,
    encode,
    idempotent_response,
    read_body,
    split_identifier,
    to_response,
)
from customers.api.problems import Problem
from customers.identity import refiling
from customers.identity.refiling import MAX_VERSION, EventPlace, RefiledPlace


class RefileBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identifier to file an event on, such as email:noor@example.com, and the reason."""

    identifier: str
    reason: str = ""


class RefilingShape(msgspec.Struct, frozen=True):
    """The event, and the customer that it belongs to now."""

    log: UUID
    version: int
    customer: UUID
    is_moved: bool


def unknown_identifier(_: Exception) -> Problem:
    """Return the Problem (409) of an identifier that leads nowhere."""
    return Problem(
        409, "unknown-identifier", "Butler does not know this identifier, or it names nobody."
    )


def ambiguous_identifier(_: Exception) -> Problem:
    """Return the Problem (409) of a number that several sources use."""
    return Problem(
        409,
        "ambiguous-identifier",
        "Several sources use this number. Write the id of the source before it, such as 3/A-1001.",
    )


_PROBLEMS: Mapping[type[Exception], Callable[[Exception], Exception]] = {
    refiling.UnknownEvents: lambda _: Http404(),
    refiling.FixedEvents: lambda _: Problem(
        409, "fixed-event", "Butler keeps events of this kind where they are."
    ),
    actions.UnknownIdentifier: unknown_identifier,
    actions.AmbiguousIdentifier: ambiguous_identifier,
}


class RefileView(CustomerView):
    """Files an event on another identifier, or on the one that it was written with."""

    rights: ClassVar = {"POST": Right.SETTLE_REVIEW, "DELETE": Right.SETTLE_REVIEW}
    problems = _PROBLEMS

    @schema.describe(
        "File an event on another identifier",
        body=RefileBody,
        answer=schema.shape(RefilingShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("reviews",),
    )
    def post(self, request: Request, customer_id: UUID, log: UUID, version: int) -> HttpResponse:
        body = read_body(request, RefileBody)
        place = self._event_place(log, version)
        sender = request_principal(request).sender

        def effect() -> StoredResponse:
            moved = actions.refile_events(
                events=[place],
                identifier=split_identifier(body.identifier),
                reason=body.reason,
                actor=request_actor(request),
                now=timezone.now(),
                region=(sender.default_region if sender else None) or settings.BUTLER_COUNTRY,
            )
            return _response(place, moved)

        return idempotent_response(request, effect)

    @schema.describe(
        "Take the last re-filing of an event back",
        answer=schema.shape(RefilingShape),
        tags=("reviews",),
        problems=(409,),
    )
    def delete(self, request: Request, customer_id: UUID, log: UUID, version: int) -> HttpResponse:
        place = self._event_place(log, version)
        moved = actions.undo_refiling(
            events=[place], actor=request_actor(request), now=timezone.now()
        )
        return to_response(_response(place, moved))

    def _event_place(self, log: UUID, version: int) -> EventPlace:
        """Return the place of the event. Raise Http404 for an event of another customer."""
        place = EventPlace(log, version)
        if version > MAX_VERSION or self.live_id not in refiling.customers_of_event(place):
            raise Http404
        return place


def _response(place: EventPlace, moved: Sequence[RefiledPlace]) -> StoredResponse:
    customer_id = refiling.customer_of_event(place)
    return StoredResponse(200, encode(RefilingShape(*place, customer_id, bool(moved))))
