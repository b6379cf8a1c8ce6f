"""The history before the silence of an address: the customer opens it by one more fact, or staff."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.permissions import Right, request_actor, request_principal
from customers.actions import earlier_history
from customers.actions.earlier_history import (
    HistoryClosed,
    IncompleteFact,
    NothingClosed,
    TooManyTries,
    WrongFact,
)
from customers.actions.staff_address_changes import Colleague, OwnRecord, SameColleague
from customers.api import schema
from customers.api.base import CustomerView, history_closed, read_body, shape_response
from customers.api.own_login import OwnLoginView
from customers.api.problems import Problem
from customers.identity.history_facts import HistoryFact

_TAGS = ("addresses",)


class HistoryShape(msgspec.Struct, frozen=True):
    """The time from which on the session opens the record; null if it opens the history, too."""

    closed_before: datetime | None


class OpenHistoryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address of the customer, and the evidence that its earlier history is hers."""

    address: Annotated[str, Meta(min_length=1, max_length=1024)]
    evidence: Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]


class OpenedHistoryShape(msgspec.Struct, frozen=True):
    """approved: another colleague has to approve, too. open: the history is open."""

    state: Literal["approved", "open"]


PROBLEMS: dict[type[Exception], Callable[[Any], Exception]] = {
    NothingClosed: lambda error: Http404(),
    HistoryClosed: lambda error: history_closed(),
    IncompleteFact: lambda error: Problem(
        422,
        "incomplete-fact",
        "Send order_number with order_total, card, or last_name with birth_date.",
    ),
    WrongFact: lambda error: Problem(403, "wrong-fact", "This is not a fact of this record."),
    TooManyTries: lambda error: Problem(
        403, "too-many-tries", "Too many facts were wrong. Staff can open the earlier history."
    ),
    SameColleague: lambda error: Problem(
        409, "same-colleague", "Another colleague has to approve this."
    ),
    OwnRecord: lambda error: Problem(
        409, "own-record", "This record is yours. A colleague has to decide."
    ),
}


class EarlierHistoryView(OwnLoginView):
    """The earlier history of the record that the session shows."""

    rights: ClassVar = {"GET": Right.OWN_LOGIN, "POST": Right.OWN_LOGIN}
    problems = PROBLEMS

    @schema.describe(
        "Read from when on you see your record",
        answer=schema.shape(HistoryShape),
        tags=_TAGS,
        auth=["token", "cookie"],
    )
    def get(self, request: Request) -> HttpResponse:
        opened = request_principal(request).opened
        self.session(request)
        return shape_response(HistoryShape(opened.opened_since if opened else None))

    @schema.describe(
        "Open the earlier history by one more fact",
        body=HistoryFact,
        status=204,
        tags=_TAGS,
        auth=["token", "cookie"],
    )
    def post(self, request: Request) -> HttpResponse:
        user, session = self.session(request)
        fact = read_body(request, HistoryFact)
        earlier_history.open_by_fact(user, session, fact, now=timezone.now())
        return HttpResponse(status=204)


class OpenHistoryView(CustomerView):
    """Opens the history of an address for its holder; two colleagues do it."""

    rights: ClassVar = {"POST": Right.SETTLE_REVIEW}
    problems = PROBLEMS

    @schema.describe(
        "Open the earlier history of an address, which needs two colleagues",
        body=OpenHistoryBody,
        answer=schema.shape(OpenedHistoryShape),
        problems=(409,),
        tags=_TAGS,
    )
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        body = read_body(request, OpenHistoryBody)
        user = request_principal(request).user
        if user is None:
            raise Http404
        is_open = earlier_history.approve(
            self.live_id,
            body.address,
            evidence=body.evidence,
            colleague=Colleague(user, request_actor(request)),
            now=timezone.now(),
        )
        return shape_response(OpenedHistoryShape("open" if is_open else "approved"))
