"""Endpoints of the party: the people who come along, including children without an account."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import UNSET, Meta, UnsetType
from rest_framework.request import Request
from uuid_utils.compat import uuid7

from customers.access.permissions import Right
from customers.actions import parties
from customers.actions.changes import ChangeAuthor
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    encode,
    expected_version,
    idempotent_response,
    or_404,
    page_response,
    read_body,
    to_response,
)
from customers.api.changes import (
    ChangeShape,
    ChangingView,
    change_response,
    change_shape,
    request_author,
)
from customers.queries import lists
from customers.queries.pages import Page
from customers.queries.shapes import MemberShape
from customers.types import IngestOutcome

type Text = Annotated[str, Meta(max_length=100)]
type Role = Literal["guardian", "child", "guest"]


class NewMember(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: Text
    role: Role = "guest"
    birth_date: date | UnsetType | None = UNSET
    guardian: Text | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class MemberChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: Text | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    birth_date: date | UnsetType | None = UNSET
    guardian: Text | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class NewMemberShape(msgspec.Struct, frozen=True):
    """The reference of a new member, and the log and version of its event."""

    reference: str
    customer: UUID
    version: int


class PartyView(ChangingView):
    """The members of the party."""

    rights: ClassVar = {"GET": Right.READ, "POST": Right.CHANGE_PARTY}

    @schema.describe(
        "List the members of the party", answer=schema.pages_of(MemberShape), tags=("party",)
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        return page_response(request, Page(lists.party(self.live_id, part=self.part)))

    @schema.describe(
        "Add a member to the party",
        body=NewMember,
        answer=schema.shape(NewMemberShape),
        status=201,
        location="{reference}/",
        parameters=(schema.IDEMPOTENCY_KEY, schema.IF_MATCH),
        tags=("party",),
    )
    def post(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        member = read_body(request, NewMember)
        reference, author = uuid7().hex, request_author(request)

        def effect() -> StoredResponse:
            outcome = _change(
                self, request, reference, author, {"role": member.role, **_event_properties(member)}
            )
            receipt = change_shape(outcome)
            return StoredResponse(
                201, encode(NewMemberShape(reference, receipt.customer, receipt.version))
            )

        return idempotent_response(request, effect)


class MemberView(ChangingView):
    """One member of the party."""

    rights: ClassVar = {"PATCH": Right.CHANGE_PARTY, "DELETE": Right.CHANGE_PARTY}

    @schema.describe(
        "Change a member of the party",
        body=MemberChange,
        answer=schema.shape(ChangeShape),
        parameters=(schema.IF_MATCH,),
        tags=("party",),
    )
    def patch(
        self, request: Request, reference: str, customer_id: UUID | None = None
    ) -> HttpResponse:
        change = read_body(request, MemberChange)
        or_404(lists.member(self.live_id, reference, part=self.part))
        outcome = _change(
            self, request, reference, request_author(request), _event_properties(change)
        )
        return to_response(change_response(outcome), version=outcome.version)

    @schema.describe(
        "Remove a member from the party",
        answer=schema.shape(ChangeShape),
        parameters=(schema.IF_MATCH,),
        tags=("party",),
    )
    def delete(
        self, request: Request, reference: str, customer_id: UUID | None = None
    ) -> HttpResponse:
        live = self.live_id
        or_404(lists.member(live, reference, part=self.part))
        outcome = parties.remove_member(
            customer_id=live,
            reference=reference,
            author=request_author(request),
            now=timezone.now(),
            expected_version=expected_version(request),
        )
        return to_response(change_response(outcome), version=outcome.version)


def _change(
    view: ChangingView,
    request: Request,
    reference: str,
    author: ChangeAuthor,
    change: dict[str, Any],
) -> IngestOutcome:
    guardian = change.get("guardian")
    if view.part and guardian and lists.member(view.live_id, guardian, part=view.part) is None:
        raise parties.NoSuchMember
    return parties.change_member(
        customer_id=view.live_id,
        reference=reference,
        author=author,
        change=change,
        now=timezone.now(),
        expected_version=expected_version(request),
    )


def _event_properties(member: NewMember | MemberChange) -> dict[str, Any]:
    """Return the properties of a party event: the sent fields, and the details."""
    properties: dict[str, Any] = msgspec.to_builtins(member)
    details: dict[str, Any] = properties.pop("details", {})
    reserved = {"name", "role", "birth_date", "guardian", "reference"}
    return {k: v for k, v in details.items() if k not in reserved} | properties
