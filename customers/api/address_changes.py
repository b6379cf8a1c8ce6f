"""Staff see and end the changes of the addresses of a customer, and lift suppressions."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.permissions import Right, request_actor
from customers.actions import address_changes, sign_in
from customers.api import schema
from customers.api.base import CustomerView, page_response, read_body, shape_response
from customers.api.problems import Problem
from customers.models import AddressChange, Identifier, Suppression
from customers.queries.pages import Page

_TAGS = ("addresses",)
_LIMIT = 100
type _Evidence = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]


class StaffChangeShape(msgspec.Struct, frozen=True):
    """A change of an address, with who asked for it, froze it, approved it and ended it."""

    id: int
    state: str
    adds: str | None
    removes: str | None
    actor: str
    requested_at: datetime
    effective_at: datetime | None
    frozen_at: datetime | None
    frozen_by: str | None
    approved_by: str
    ended_at: datetime | None
    ended_by: str
    reason: str


class ChangeDecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision of staff, and the evidence for it, such as a document."""

    outcome: Literal["apply", "cancel"]
    evidence: _Evidence


class LiftBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address of the customer that gets messages again."""

    address: Annotated[str, Meta(min_length=1, max_length=1024)]


class AddressChangesView(CustomerView):
    """The changes of the addresses of a record."""

    rights: ClassVar = {"GET": Right.READ_REVIEWS}

    @schema.describe(
        "List the changes of the addresses of a customer, the newest first",
        answer=schema.pages_of(StaffChangeShape),
        tags=_TAGS,
    )
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        changes = _changes(self.customer_id).select_related("added", "removed", "frozen_by")
        return page_response(
            request, Page([_shape(change) for change in changes.order_by("-id")[:_LIMIT]])
        )


class DecideChangeView(CustomerView):
    """Ends a change that waits or is frozen."""

    rights: ClassVar = {"POST": Right.SETTLE_REVIEW}

    @schema.describe(
        "Let a change of a proved address take effect, which needs two colleagues, or cancel it",
        body=ChangeDecisionBody,
        answer=schema.shape(StaffChangeShape),
        problems=(409,),
        tags=_TAGS,
    )
    def post(self, request: Request, customer_id: UUID, change_id: int) -> HttpResponse:
        decision = read_body(request, ChangeDecisionBody)
        if not _changes(self.customer_id).filter(pk=change_id).exists():
            raise Http404
        try:
            change = address_changes.decide_change(
                change_id,
                takes_effect=decision.outcome == "apply",
                actor=request_actor(request),
                evidence=decision.evidence,
                now=timezone.now(),
            )
        except AddressChange.DoesNotExist:
            raise Problem(409, "change-ended", "This change has ended.") from None
        except address_changes.SameColleague:
            raise Problem(
                409, "same-colleague", "Another colleague has to approve this change."
            ) from None
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
            customer=self.customer_id, kind="email", value=address, evidence=2, erasure=None
        )
        if not of_customer.exists():
            raise Http404
        reasons = [Suppression.Reason.BOUNCED, Suppression.Reason.COMPLAINED]
        sign_in.lift_suppressions("email", address, reasons, now=timezone.now())
        return HttpResponse(status=204)


def _changes(customer_id: UUID) -> QuerySet[AddressChange]:
    ids = list(Identifier.objects.filter(customer=customer_id).values_list("pk", flat=True))
    of_address = Q(added__in=ids) | Q(removed__in=ids)
    return AddressChange.objects.filter(of_address | Q(holder_ids__overlap=ids))


def _shape(change: AddressChange) -> StaffChangeShape:
    return StaffChangeShape(
        id=change.pk,
        state=change.state,
        adds=change.added.value if change.added else None,
        removes=change.removed.value if change.removed else None,
        actor=change.actor,
        requested_at=change.requested_at,
        effective_at=change.effective_at,
        frozen_at=change.frozen_at,
        frozen_by=change.frozen_by.value if change.frozen_by else None,
        approved_by=change.approved_by,
        ended_at=change.ended_at,
        ended_by=change.ended_by,
        reason=change.reason,
    )
