"""Why a record is one customer, and the decisions of staff about its identifiers."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from channels.console.forms import DecisionForm, ReasonForm
from channels.console.presenters.identity import decision_rows, identifier_rows
from channels.console.views import access, audit, previews
from channels.console.views.live_records import customer_name, find_live_id
from channels.console.views.merges import active_merges
from channels.console.views.previews import TAKES_PROVED_ADDRESS
from customers.actions import identity as actions
from customers.actions.identity_previews import preview_decision, preview_undo_of_decision
from customers.actions.proved_addresses import TakesProvedAddress
from customers.actions.refiling import UnknownIdentifier
from customers.identity.decisions import DecisionAlreadyUndone
from customers.queries import identity

_ERRORS: dict[type[Exception], str] = {
    UnknownIdentifier: "The other record has no identifier that a merge can name.",
    actions.SameIdentifier: "Both identifiers are the same. Choose another one.",
    actions.IdentifierOfAnotherRecord: "The record has changed. Load the page again.",
    TakesProvedAddress: TAKES_PROVED_ADDRESS,
}
_CONFIRMATIONS = {"merge": "The records are merged.", "separate": "The identifiers are separated."}


@require_safe
@access.page("customers.view_review")
def show_identity(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the identifiers of a record with the reasons, contested links and decisions."""
    live_id = find_live_id(customer_id)
    audit.log_console_access(request, [live_id], part="identifiers")
    return render(request, "console/identity.html", _page_context(live_id, DecisionForm()))


@require_POST
@access.page("customers.change_review")
def decide(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the records before and after a decision, and store it when staff confirm it."""
    live_id = find_live_id(customer_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _show_errors(request, live_id, form)
    decision: dict[str, Any] = {
        "customer_id": live_id,
        "kind": form.cleaned_data["decision"],
        "first": form.cleaned_data["first"],
        "reason": form.cleaned_data["reason"],
        "actor": audit.actor(request),
        "now": timezone.now(),
    }
    try:
        decision["second"] = _second(form)
        if not previews.is_confirmed(request):
            is_merge = decision["kind"] == "merge"
            confirmation = previews.MERGE if is_merge else previews.SEPARATE
            preview = preview_decision(**decision)
            return previews.show_preview(request, live_id, confirmation, preview, form)
        actions.decide(**decision)
    except tuple(_ERRORS) as error:
        form.add_error("second_record", _ERRORS[type(error)])
        return _show_errors(request, live_id, form)
    messages.success(request, _CONFIRMATIONS[decision["kind"]])
    return redirect("console:identity", customer_id=live_id)


@require_POST
@access.page("customers.change_review")
def undo(request: HttpRequest, customer_id: UUID, decision_id: int) -> HttpResponse:
    """Show what the undo of a decision changes, and undo it when staff confirm it."""
    live_id = find_live_id(customer_id)
    form = ReasonForm(request.POST)
    undo_arguments: dict[str, Any] = {
        "customer_id": live_id,
        "decision_id": decision_id,
        "actor": audit.actor(request),
        "now": timezone.now(),
    }
    try:
        if not previews.is_confirmed(request):
            preview = preview_undo_of_decision(**undo_arguments)
            if preview is None:
                raise Http404
            form.is_valid()
            return previews.show_preview(request, live_id, previews.UNDO_DECISION, preview, form)
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        if actions.undo_decision(reason=reason, **undo_arguments) is None:
            raise Http404
    except DecisionAlreadyUndone:
        messages.error(request, "This decision was undone before.")
    except TakesProvedAddress:
        messages.error(request, TAKES_PROVED_ADDRESS)
    else:
        messages.success(request, "The decision is undone.")
    return redirect("console:identity", customer_id=live_id)


def _second(form: DecisionForm) -> int:
    """Return the id of the second identifier. A record stands for its main identifier."""
    second_id: int | None = form.cleaned_data["second_id"]
    if second_id:
        return second_id
    return actions.main_identifier(find_live_id(form.cleaned_data["second_record"]))


def _show_errors(request: HttpRequest, live_id: UUID, form: DecisionForm) -> HttpResponse:
    audit.log_console_access(request, [live_id], part="identifiers")
    return render(request, "console/identity.html", _page_context(live_id, form), status=422)


def _page_context(live_id: UUID, form: DecisionForm) -> dict[str, Any]:
    rows = identifier_rows(identity.identifiers(live_id))
    return {
        "customer": {"id": live_id, "name": customer_name(live_id)},
        "identifiers": [row for row in rows if not row.is_order],
        "orders": [row for row in rows if row.is_order],
        "last_first": rows[::-1],
        "merges": active_merges(live_id),
        "decisions": decision_rows(identity.decisions(live_id)),
        "form": form,
        "section": "search",
    }
