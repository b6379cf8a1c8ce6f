"""The addresses of a customer for staff: proposals, and decisions about changes."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions import address_proposals
from channels.console.forms import ChangeDecisionForm, ProposalForm, first_error
from channels.console.presenters.address_changes import (
    AddressChangeRow,
    address_change_row,
    notified_ids,
)
from channels.console.presenters.identity import identifier_rows
from channels.console.views import access, audit
from channels.console.views.live_records import customer_name, find_live_id
from customers.actions import staff_address_changes as actions
from customers.actions.address_changes import ChangesFrozen, TooManyChanges
from customers.models import AddressChange, Identifier, User
from customers.queries import address_changes, identity

_LIMIT = 100
_ADDRESSES = ("email", "phone")
_ERRORS: dict[type[Exception], str] = {
    AddressChange.DoesNotExist: "This change has ended.",
    actions.SameColleague: "Another colleague has to decide about this change, too.",
    actions.OwnRecord: "This record or this address is yours. A colleague has to decide.",
    actions.ChangeMoved: "The change is in another state meanwhile. Look at it again.",
    actions.StillWaits: "This change waits for three days, so that the holders can stop it.",
    actions.InvalidAddress: "The new address is not valid, gets no SMS, or the record has it. Enter another one.",
    actions.NoSuchAddress: "The record does not have this address any more. Choose another one.",
    ChangesFrozen: "A change of this customer was stopped. Decide about it first.",
    TooManyChanges: "This customer has too many open changes. Decide about them first.",
}
_NOTICES = {
    AddressChange.State.PROPOSED: "The change is proposed. A colleague has to approve it.",
    AddressChange.State.PENDING: "The change waits for three days. All its addresses get a notice.",
    AddressChange.State.FROZEN: "You agreed. A second colleague has to agree, too.",
    AddressChange.State.APPLIED: "The change took effect.",
    AddressChange.State.CANCELLED: "The change is cancelled.",
}


@require_safe
@access.page("customers.view_review")
def list_changes(request: HttpRequest) -> HttpResponse:
    """List the open changes of all customers, those that need a colleague first."""
    changes = list(address_changes.open_changes()[:_LIMIT])
    records = _records(changes)
    audit.log_console_access(request, set(records.values()), part="addresses")
    rows = [
        (row, records[row.id], customer_name(records[row.id]))
        for row in _rows(request, changes)
        if row.id in records
    ]
    context = {"rows": rows, "section": "tasks"}
    return render(request, "console/address_changes.html", context)


@require_safe
@access.page("customers.view_review")
def show_addresses(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the addresses of a record, and the changes of them."""
    form = ProposalForm(initial={"removes": request.GET.get("removes", "")})
    return _show(request, find_live_id(customer_id), form)


@require_POST
@access.page("customers.change_review")
def propose(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Propose a change with evidence; a task asks for a second colleague."""
    record_id = find_live_id(customer_id)
    form = ProposalForm(request.POST)
    if not form.is_valid():
        return _show(request, record_id, form, status=422)
    try:
        change = address_proposals.propose(
            record_id,
            actions.Proposal(form.cleaned_data["adds"], form.cleaned_data["removes"]),
            evidence=form.cleaned_data["evidence"],
            colleague=_colleague(request),
            language="en",
            now=timezone.now(),
        )
    except tuple(_ERRORS) as error:
        form.add_error(None, _ERRORS[type(error)])
        return _show(request, record_id, form, status=422)
    messages.success(request, _NOTICES[AddressChange.State(change.state)])
    return redirect("console:addresses", customer_id=record_id)


@require_POST
@access.page("customers.change_review")
def decide(request: HttpRequest, customer_id: UUID, change_id: int) -> HttpResponse:
    """Let a change pass, or cancel it, with evidence."""
    record_id = find_live_id(customer_id)
    if not address_changes.changes_of(record_id).filter(pk=change_id).exists():
        raise Http404
    form = ChangeDecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("console:addresses", customer_id=record_id)
    try:
        change = address_proposals.decide(
            change_id,
            takes_effect=form.cleaned_data["outcome"] == "apply",
            evidence=form.cleaned_data["evidence"],
            colleague=_colleague(request),
            shown_state=form.cleaned_data["state"],
            now=timezone.now(),
        )
    except tuple(_ERRORS) as error:
        messages.error(request, _ERRORS[type(error)])
    else:
        messages.success(request, _NOTICES[AddressChange.State(change.state)])
    return redirect("console:addresses", customer_id=record_id)


def _show(
    request: HttpRequest, record_id: UUID, form: ProposalForm, *, status: int = 200
) -> HttpResponse:
    audit.log_console_access(request, [record_id], part="addresses")
    return render(
        request, "console/addresses.html", _context(request, record_id, form), status=status
    )


def _context(request: HttpRequest, record_id: UUID, form: ProposalForm) -> dict[str, Any]:
    rows = _rows(request, address_changes.changes_of(record_id).order_by("-id")[:_LIMIT])
    shapes = [row for row in identity.identifiers(record_id) if row.kind in _ADDRESSES]
    return {
        "customer": {"id": record_id, "name": customer_name(record_id)},
        "addresses": identifier_rows(shapes),
        "removes": str(form["removes"].value() or ""),
        "open_changes": [row for row in rows if row.is_open],
        "ended_changes": [row for row in rows if not row.is_open],
        "form": form,
        "section": "search",
    }


def _rows(request: HttpRequest, changes: Iterable[AddressChange]) -> list[AddressChangeRow]:
    changes = list(changes)
    notified = Identifier.objects.filter(pk__in=notified_ids(changes))
    values = dict(notified.values_list("id", "value"))
    user_id = _colleague(request).user.pk
    return [address_change_row(change, user_id=user_id, addresses=values) for change in changes]


def _records(changes: Iterable[AddressChange]) -> dict[int, UUID]:
    """Return the live record of each change that still has one."""
    changes = list(changes)
    holder_ids = {id_ for change in changes for id_ in change.holder_ids}
    records = dict(
        Identifier.objects.filter(pk__in=holder_ids, customer__isnull=False).values_list(
            "id", "customer_id"
        )
    )
    of_changes = {
        change.pk: next((records[id_] for id_ in change.holder_ids if id_ in records), None)
        for change in changes
    }
    return {change_id: record_id for change_id, record_id in of_changes.items() if record_id}


def _colleague(request: HttpRequest) -> actions.Colleague:
    assert isinstance(request.user, User)
    return actions.Colleague(request.user, audit.actor(request))
