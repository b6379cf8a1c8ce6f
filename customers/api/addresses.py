"""The addresses of the signed-in customer: list, add, confirm, join, remove, prefer."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone, translation
from msgspec import Meta
from rest_framework.request import Request

from customers.access.address_states import OwnAddress, OwnAddresses, read_own_addresses
from customers.access.permissions import Right
from customers.access.sessions import save_or_end
from customers.actions import own_addresses, sign_in
from customers.actions.address_changes import ChangesFrozen, TooManyChanges
from customers.actions.earlier_history import HistoryClosed
from customers.actions.own_addresses import LastAddress, NoRecord, NoSuchAddress
from customers.api import schema
from customers.api.base import history_closed, read_body, shape_response
from customers.api.own_login import OwnLoginView
from customers.api.problems import Problem
from customers.api.sign_in import CodeProof, CodeSent, send_address_code
from customers.models import AddressChange

_TAGS = ("addresses",)
_AUTH = ["token", "cookie"]


class SuppressionShape(msgspec.Struct, frozen=True):
    """A channel that sends nothing to the address, and why."""

    channel: str
    reason: str
    since: datetime


class AddressShape(msgspec.Struct, frozen=True):
    """An address: current, pending, replaced or removed."""

    id: int
    kind: str
    value: str
    state: str
    is_proved: bool
    proved_at: datetime | None
    since: datetime | None
    until: datetime | None
    is_preferred: bool
    suppressions: tuple[SuppressionShape, ...]


class AddressChangeShape(msgspec.Struct, frozen=True):
    """A change that waits until `effective_at`, or that somebody froze."""

    id: int
    state: str
    adds: str | None
    removes: str | None
    requested_at: datetime
    effective_at: datetime | None


class AddressesShape(msgspec.Struct, frozen=True):
    """The addresses, and the open changes of them."""

    addresses: tuple[AddressShape, ...]
    changes: tuple[AddressChangeShape, ...]


class NewAddress(msgspec.Struct, forbid_unknown_fields=True):
    """A mailbox to add. `replaces` is the id of the mailbox that it replaces."""

    email: Annotated[str, Meta(max_length=254)]
    replaces: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


class NewPhone(msgspec.Struct, forbid_unknown_fields=True):
    """A mobile number to add. `replaces` is the id of the number that it replaces."""

    phone: Annotated[str, Meta(max_length=254)]
    replaces: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


class ConfirmedShape(msgspec.Struct, frozen=True):
    """The state of a confirmed address.

    current: it is an address of the record. pending: `change` waits. separate: it has a record of
    its own, and the customer may join it.
    """

    id: int
    state: str
    join_possible: bool
    change: AddressChangeShape | None = None


PROBLEMS: dict[type[Exception], Callable[[Any], Exception]] = {
    NoRecord: lambda error: Http404(),
    NoSuchAddress: lambda error: Http404(),
    LastAddress: lambda error: Problem(
        409, "last-address", "Add another address before you remove the last one."
    ),
    own_addresses.MailboxRequired: lambda error: Problem(
        409, "mailbox-required", "Add an e-mail address before you add another phone number."
    ),
    HistoryClosed: lambda error: history_closed(),
    ChangesFrozen: lambda error: Problem(
        409,
        "changes-frozen",
        "Somebody stopped a change of these addresses. Staff have to look at it.",
    ),
    TooManyChanges: lambda error: Problem(
        429, "too-often", "Too many changes wait. Cancel one of them first."
    ),
    sign_in.WrongCode: lambda error: Problem(
        403, "wrong-code", "This code is wrong, expired or used. Request a new code."
    ),
}


class _AddressView(OwnLoginView):
    """An endpoint about the addresses of the session."""

    problems = PROBLEMS


class AddressesView(_AddressView):
    """The addresses of the record that the session shows."""

    rights: ClassVar = {"GET": Right.OWN_LOGIN, "POST": Right.OWN_LOGIN}

    @schema.describe(
        "List your addresses",
        answer=schema.shape(AddressesShape),
        tags=_TAGS,
        auth=_AUTH,
    )
    def get(self, request: Request) -> HttpResponse:
        own = read_own_addresses(*self.session(request), now=timezone.now())
        if own is None:
            raise Http404
        return shape_response(addresses_shape(own))

    @schema.describe(
        "Add an address: Butler sends a code to it",
        body=(NewAddress, NewPhone),
        answer=schema.shape(CodeSent),
        status=202,
        problems=(429,),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request) -> HttpResponse:
        _, session = self.session(request)
        if "phone" in request.data:
            phone = read_body(request, NewPhone)
            issued, replaced_id = send_address_code(request, "phone", phone.phone), phone.replaces
        else:
            new = read_body(request, NewAddress)
            issued, replaced_id = send_address_code(request, "email", new.email), new.replaces
        own_addresses.note_code(session, issued.handle, replaced_id)
        session.save()
        response = shape_response(CodeSent(issued.handle, settings.BUTLER_CODE_SECONDS), status=202)
        response["Cache-Control"] = "no-store"
        return response


class ConfirmAddressView(_AddressView):
    """Proves an address with the code that it got."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Confirm an address with its code",
        body=CodeProof,
        answer=schema.shape(ConfirmedShape),
        problems=(409, 429),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request) -> HttpResponse:
        user, session = self.session(request)
        proof = read_body(request, CodeProof)
        confirmed = own_addresses.confirm(
            user,
            session,
            handle=proof.request,
            code=proof.code,
            language=translation.get_language() or settings.LANGUAGE_CODE,
            now=timezone.now(),
        )
        save_or_end(session)
        return shape_response(_confirmed_shape(confirmed))


class JoinAddressView(_AddressView):
    """Joins the record of an address that the session confirmed."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Join the orders and messages of an address that you just confirmed",
        answer=schema.shape(ConfirmedShape),
        problems=(409, 429),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request, address_id: int) -> HttpResponse:
        user, session = self.session(request)
        language = translation.get_language() or settings.LANGUAGE_CODE
        confirmed = own_addresses.join(
            user, session, address_id, language=language, now=timezone.now()
        )
        save_or_end(session)
        return shape_response(_confirmed_shape(confirmed))


class AddressView(_AddressView):
    """One address of the record that the session shows."""

    rights: ClassVar = {"DELETE": Right.OWN_LOGIN}

    @schema.describe(
        "Remove an address. The answer is 202 if the change waits for three days",
        status=204,
        other_responses={202: ("The change waits.", schema.shape(AddressChangeShape))},
        problems=(409, 429),
        tags=_TAGS,
        auth=_AUTH,
    )
    def delete(self, request: Request, address_id: int) -> HttpResponse:
        user, session = self.session(request)
        language = translation.get_language() or settings.LANGUAGE_CODE
        change = own_addresses.remove(
            user, session, address_id, language=language, now=timezone.now()
        )
        save_or_end(session)
        if change:
            return shape_response(_change_shape(change), status=202)
        return HttpResponse(status=204)


class PreferAddressView(_AddressView):
    """Chooses the address for the messages of its kind."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe("Prefer an address", status=204, problems=(409,), tags=_TAGS, auth=_AUTH)
    def post(self, request: Request, address_id: int) -> HttpResponse:
        own_addresses.prefer(*self.session(request), address_id, now=timezone.now())
        return HttpResponse(status=204)


class LiftView(_AddressView):
    """Takes back a complaint about messages to an address."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe("Receive messages again after a complaint", status=204, tags=_TAGS, auth=_AUTH)
    def post(self, request: Request, address_id: int) -> HttpResponse:
        own_addresses.lift(*self.session(request), address_id, now=timezone.now())
        return HttpResponse(status=204)


class ChangeView(_AddressView):
    """A change that waits."""

    rights: ClassVar = {"DELETE": Right.OWN_LOGIN}

    @schema.describe(
        "Cancel a change of your addresses", status=204, problems=(409,), tags=_TAGS, auth=_AUTH
    )
    def delete(self, request: Request, change_id: int) -> HttpResponse:
        own_addresses.cancel(*self.session(request), change_id, now=timezone.now())
        return HttpResponse(status=204)


class ReleaseChangeView(_AddressView):
    """Ends the freeze of a change, in a session that a passkey opened some minutes ago."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Let a frozen change of your addresses go on, with a passkey that is older than the change",
        status=204,
        problems=(409,),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request, change_id: int) -> HttpResponse:
        own_addresses.release(*self.session(request), change_id, now=timezone.now())
        return HttpResponse(status=204)


def addresses_shape(own: OwnAddresses) -> AddressesShape:
    """Return the addresses as the API shows them."""
    return AddressesShape(
        tuple(_address_shape(address) for address in own.addresses),
        tuple(_change_shape(change) for change in own.changes),
    )


def _address_shape(address: OwnAddress) -> AddressShape:
    return AddressShape(
        id=address.id,
        kind=address.kind,
        value=address.value,
        state=address.state,
        is_proved=address.proved_at is not None,
        proved_at=address.proved_at,
        since=address.since,
        until=address.until,
        is_preferred=address.is_preferred,
        suppressions=tuple(SuppressionShape(*cause) for cause in address.suppressions),
    )


def _change_shape(change: AddressChange) -> AddressChangeShape:
    return AddressChangeShape(
        id=change.pk,
        state=change.state,
        adds=change.added.value if change.added else None,
        removes=change.removed.value if change.removed else None,
        requested_at=change.requested_at,
        effective_at=change.effective_at,
    )


def _confirmed_shape(confirmed: own_addresses.Confirmed) -> ConfirmedShape:
    if confirmed.is_join_possible:
        return ConfirmedShape(confirmed.address_id, "separate", join_possible=True)
    if confirmed.change:
        change = _change_shape(confirmed.change)
        return ConfirmedShape(confirmed.address_id, "pending", join_possible=False, change=change)
    return ConfirmedShape(confirmed.address_id, "current", join_possible=False)
