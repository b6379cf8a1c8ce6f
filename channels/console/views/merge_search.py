"""The search for the record that staff merge with another one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from channels.console.forms import DecisionForm
from channels.console.presenters.identity import identifier_rows
from channels.console.views import access, audit
from channels.console.views.live_records import customer_name, find_live_id
from channels.console.views.search_rows import find_rows
from customers.queries import identity


@require_safe
@access.page("customers.change_review")
def choose_record(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Search the other record as the search for customers does, and offer a choice."""
    live_id = find_live_id(customer_id)
    text = request.GET.get("q", "").strip()
    rows = find_rows(request, text, without=live_id)
    audit.log_console_access(request, [live_id], part="identifiers")
    context = {
        "customer": {"id": live_id, "name": customer_name(live_id)},
        "text": text,
        "rows": rows,
        "identifiers": identifier_rows(identity.identifiers(live_id)),
        "form": DecisionForm(),
        "section": "search",
    }
    return render(request, "console/merge_search.html", context)
