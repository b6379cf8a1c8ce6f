"""Why a record is one customer, and the decisions of staff about its identifiers."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from channels.console.forms import DecisionForm, ReasonForm
from channels.console.presenters import labels
from channels.console.presenters.identity import decision_rows, identifier_rows
from channels.console.views import access, audit
from customers.actions import identity as actions
from customers.actions.refiling import AmbiguousIdentifier, UnknownIdentifier
from customers.identity.decisions import DecisionAlreadyUndone
from customers.identity.search import describe
from customers.queries import identity, lists

_ERRORS: dict[type[Exception], str] = {
    UnknownIdentifier: "No customer has this identifier.",
    AmbiguousIdentifier: "Several sources use this number. Enter the e-mail or the phone of the customer.",
    actions.SameIdentifier: "Both identifiers are the same. Enter another one.",
    actions.IdentifierOfAnotherRecord: "The record has changed. Load the page again.",
}
_CONFIRMATIONS = {"merge": "The records are merged.", "separate": "The identifiers are separated."}


@require_safe
@access.page("customers.view_review")
def show_identity(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the identifiers of a record with the reasons, contested links and decisions."""
    live_id = _live_id(customer_id)
    audit.log_console_access(request, [live_id], part="identifiers")
    return render(request, "console/identity.html", _page_context(live_id, DecisionForm()))


@require_POST
@access.page("customers.change_review")
def decide(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the records before and after a decision, and store it when staff confirm it."""
    live_id = _live_id(customer_id)
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
        if "confirm" not in request.POST:
            return _show_preview(request, live_id, form, actions.preview(**decision))
        actions.decide(**decision)
    except tuple(_ERRORS) as error:
        form.add_error("value", _ERRORS[type(error)])
        return _show_errors(request, live_id, form)
    messages.success(request, _CONFIRMATIONS[decision["kind"]])
    return redirect("console:identity", customer_id=live_id)


@require_POST
@access.page("customers.change_review")
def undo(request: HttpRequest, customer_id: UUID, decision_id: int) -> HttpResponse:
    """Undo a decision, so that the records are as if nobody had made it."""
    live_id = _live_id(customer_id)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        decision = actions.undo_decision(
            customer_id=live_id,
            decision_id=decision_id,
            reason=reason,
            actor=audit.actor(request),
            now=timezone.now(),
        )
    except DecisionAlreadyUndone:
        messages.error(request, "This decision was undone before.")
        return redirect("console:identity", customer_id=live_id)
    if decision is None:
        raise Http404
    messages.success(request, "The decision is undone.")
    return redirect("console:identity", customer_id=live_id)


def _second(form: DecisionForm) -> int:
    """Return the id of the second identifier. An address stands for the account that has it."""
    second = form.second
    if isinstance(second, int):
        return second
    return actions.find_account(*second, region=settings.BUTLER_COUNTRY)


def _live_id(customer_id: UUID) -> UUID:
    live_id = lists.live_id(customer_id)
    if live_id is None:
        raise Http404
    return live_id


def _show_errors(request: HttpRequest, live_id: UUID, form: DecisionForm) -> HttpResponse:
    audit.log_console_access(request, [live_id], part="identifiers")
    return render(request, "console/identity.html", _page_context(live_id, form), status=422)


def _show_preview(
    request: HttpRequest, live_id: UUID, form: DecisionForm, preview: actions.Preview
) -> HttpResponse:
    before = [(_name(id_), identifier_rows(rows)) for id_, rows in preview.before.items()]
    after = [identifier_rows(rows) for rows in preview.after.values()]
    audit.log_console_access(request, preview.before, part="merge")
    context = {
        "customer": {"id": live_id, "name": _name(live_id)},
        "form": form,
        "before": before,
        "after": after,
        "is_merge": form.cleaned_data["decision"] == "merge",
        "section": "search",
    }
    return render(request, "console/identity_preview.html", context)


def _page_context(live_id: UUID, form: DecisionForm) -> dict[str, Any]:
    rows = identifier_rows(identity.identifiers(live_id))
    merges = [merge for merge in lists.merges(live_id) if not merge.undone_at]
    return {
        "customer": {"id": live_id, "name": _name(live_id)},
        "identifiers": rows,
        "merges": [
            (merge, labels.MERGE_REASONS.get(merge.reason, merge.reason)) for merge in merges
        ],
        "decisions": decision_rows(identity.decisions(live_id)),
        "form": form,
        "section": "search",
    }


def _name(customer_id: UUID) -> str:
    matches = describe([customer_id], today=timezone.localdate())
    return matches[0].name if matches else ""
