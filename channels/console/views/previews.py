"""The page that shows what a change to records does, before staff confirm it."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from channels.console.presenters.identity import record_row
from channels.console.views import audit
from channels.console.views.live_records import customer_name
from customers.actions.identity_previews import Preview


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The texts of a page that asks staff to confirm a change."""

    change: Literal["merge", "separate", "undo-decision", "undo-merge"]
    title: str
    note: str


MERGE = Confirmation(
    "merge",
    "Merge records",
    "Orders and events follow their identifiers. You can undo this decision.",
)
SEPARATE = Confirmation(
    "separate",
    "Separate identifiers",
    "Orders and events follow their identifiers. You can undo this decision.",
)
UNDO_DECISION = Confirmation(
    "undo-decision",
    "Undo the decision",
    "The records are then as if nobody had made the decision. You can make it again.",
)
UNDO_MERGE = Confirmation(
    "undo-merge",
    "Undo the merge",
    "Orders and events follow their identifiers. Statements of sources do not join the records again.",
)


TAKES_PROVED_ADDRESS = (
    "This takes a confirmed address off the customer. Propose it under Addresses: a second colleague "
    "approves it, and it waits for three days."
)


def is_confirmed(request: HttpRequest) -> bool:
    """Tell whether the form comes from the page that shows the change."""
    return "confirm" in request.POST


def show_preview(
    request: HttpRequest,
    live_id: UUID,
    confirmation: Confirmation,
    preview: Preview,
    form: forms.Form | None = None,
) -> HttpResponse:
    """Show the records before and after a change, and log the access to each of them.

    form: a valid form, whose fields the confirmation sends again
    """
    audit.log_console_access(request, preview.before, part="merge")
    context = {
        "customer": {"id": live_id, "name": customer_name(live_id)},
        "confirmation": confirmation,
        "form": form or (),
        "before": [record_row(record) for record in preview.before.values()],
        "after": [record_row(record) for record in preview.after.values()],
        "section": "search",
    }
    return render(request, "console/identity_preview.html", context)
