"""Staff propose, see and end the changes of the addresses of a customer, and lift suppressions."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from butler.actions import address_proposals
from customers.access.permissions import Right, request_actor, request_principal
from customers.actions import sign_in, staff_address_changes
from customers.actions.address_changes import ChangesFrozen, TooManyChanges
from customers.actions.staff_address_changes import Colleague, Proposal
from customers.api import schema
from customers.api.base import CustomerView, page_response, read_body, shape_response
from customers.api.problems import Problem
from customers.models import AddressChange, Identifier, Suppression
from customers.queries import address_changes
from customers.queries.pages import Page

_TAGS = ("addresses",)
_LIMIT = 100
type _Evidence = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]


class StaffChangeShape(msgspec.Struct, frozen=True):
    """A change of an address: who asked for it and from where, froze, approved and ended it.

    `reason` has the evidence of each colleague, a line each.
    """

    id: int
    state: str
    adds: str | None
    removes: str | None
    actor: str
    origin: str
    requested_at: datetime
    notified_at: datetime | None
    effective_at: datetime | None
    frozen_at: datetime | None
    frozen_by: str | None
    approved_by: str
    ended_at: datetime | None
    ended_by: str
    reason: str


class ProposalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address to add, the id of an address to remove, or both; and the evidence."""

    evidence: _Evidence
    adds: Annotated[str, Meta(max_length=254)] = ""
    removes: int | None = None
    language: Annotated[str, Meta(max_length=10)] = "en"


class ChangeDecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision of staff, and the evidence for it, such as a document.

    With `state`, the answer is 409 if the change is in another state meanwhile.
    """

    outcome: Literal["apply", "cancel"]
    evidence: _Evidence
    state: Literal["proposed", "pending", "frozen"] | None = None


class LiftBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address of the customer that gets messages again."""

    address: Annotated[str, Meta(min_length=1, max_length=1024)]


def _conflict(kind: str, detail: str) -> Callable[[Exception], Problem]:
    return lambda _: Problem(409, kind, detail)


_PROBLEMS: Mapping[type[Exception], Callable[[Exception], Exception]] = {
    AddressChange.DoesNotExist: _conflict("change-ended", "This change has ended."),
    staff_address_changes.SameColleague: _conflict(
        "same-colleague", "Another colleague has to approve this change."
    ),
    staff_address_changes.OwnRecord: _conflict(
        "own-record", "This record is yours. A colleague has to decide."
    ),
    staff_address_changes.ChangeMoved: _conflict(
        "change-moved", "The change is in another state meanwhile. Look at it again."
    ),
    staff_address_changes.StillWaits: _conflict(
        "change-waits", "A change that colleagues asked for waits for three days."
    ),
    staff_address_changes.InvalidAddress: _conflict(
        "invalid-address",
        "The new address is no address of a customer, gets no SMS, or the record has it.",
    ),
    staff_address_changes.NoSuchAddress: _conflict(
        "no-such-address", "The record does not have the address to remove."
    ),
    ChangesFrozen: _conflict(
        "changes-frozen", "A change of this customer was stopped. Decide about it first."
    ),
    TooManyChanges: _conflict("too-many-changes", "This customer has too many open changes."),
}


class AddressChangesView(CustomerView):
    """The changes of the addresses of a record."""

    rights: ClassVar = {"GET": Right.READ_REVIEWS, "POST": Right.SETTLE_REVIEW}
    problems = _PROBLEMS

    @schema.describe(
        "List the changes of the addresses of a customer, the newest first",
        answer=schema.pages_of(StaffChangeShape),
        tags=_TAGS,
    )
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        changes = address_changes.changes_of(self.live_id)
        return page_response(
            request, Page([_shape(change) for change in changes.order_by("-id")[:_LIMIT]])
        )

    @schema.describe(
        "Propose a change of an address; where one is proved, a second colleague approves it",
        body=ProposalBody,
        answer=schema.shape(StaffChangeShape),
        status=201,
        location="",
        problems=(409,),
        tags=_TAGS,
    )
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        body = read_body(request, ProposalBody)
        if not body.adds and body.removes is None:
            raise Problem(422, "no-address", "Name an address to add, or one to remove.")
        change = address_proposals.propose(
            self.live_id,
            Proposal(body.adds, body.removes),
            evidence=body.evidence,
            colleague=_colleague(request),
            language=body.language,
            now=timezone.now(),
        )
        return shape_response(_shape(change), status=201)


class DecideChangeView(CustomerView):
    """Approves or ends a change that is proposed, waits or is frozen."""

    rights: ClassVar = {"POST": Right.SETTLE_REVIEW}
    problems = _PROBLEMS

    @schema.describe(
        "Let a change of a proved address pass, which needs two colleagues, or cancel it",
        body=ChangeDecisionBody,
        answer=schema.shape(StaffChangeShape),
        problems=(409,),
        tags=_TAGS,
    )
    def post(self, request: Request, customer_id: UUID, change_id: int) -> HttpResponse:
        decision = read_body(request, ChangeDecisionBody)
        if not address_changes.changes_of(self.live_id).filter(pk=change_id).exists():
            raise Http404
        change = address_proposals.decide(
            change_id,
            takes_effect=decision.outcome == "apply",
            evidence=decision.evidence,
            colleague=_colleague(request),
            shown_state=decision.state,
            now=timezone.now(),
        )
        return shape_response(_shape(change))


class LiftSuppressionsView(CustomerView):
    """Lets messages go to an address again."""

    rights: ClassVar = {"POST": Right.SETTLE_REVIEW}

    @schema.describe(
        "Lift the bounce and the complaint of an address", body=LiftBody, status=204, tags=_TAGS
    )
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        address = read_body(request, LiftBody).address
        of_customer = Identifier.objects.filter(
            customer=self.live_id, kind="email", value=address, evidence=2, erasure=None
        )
        if not of_customer.exists():
            raise Http404
        reasons = [Suppression.Reason.BOUNCED, Suppression.Reason.COMPLAINED]
        sign_in.lift_suppressions("email", address, reasons, now=timezone.now())
        return HttpResponse(status=204)


def _colleague(request: Request) -> Colleague:
    user = request_principal(request).user
    assert user is not None, "no key has the right to settle reviews"
    return Colleague(user, request_actor(request))


def _shape(change: AddressChange) -> StaffChangeShape:
    return StaffChangeShape(
        id=change.pk,
        state=change.state,
        adds=change.added.value if change.added else None,
        removes=change.removed.value if change.removed else None,
        actor=change.actor,
        origin=change.origin,
        requested_at=change.requested_at,
        notified_at=change.notified_at,
        effective_at=change.effective_at,
        frozen_at=change.frozen_at,
        frozen_by=change.frozen_by.value if change.frozen_by else None,
        approved_by=change.approved_by,
        ended_at=change.ended_at,
        ended_by=change.ended_by,
        reason=change.reason,
    )
