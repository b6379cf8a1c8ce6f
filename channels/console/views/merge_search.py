"""The search for the record that staff merge with another one."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from channels.console.forms import DecisionForm
from channels.console.presenters import labels
from channels.console.presenters.identity import identifier_rows
from channels.console.views import access, audit
from customers.identity.search import describe, search
from customers.queries import identity, lists


@require_safe
@access.page("customers.change_review")
def choose_record(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Search the other record as the search for customers does, and offer a choice."""
    live_id = lists.live_id(customer_id)
    if live_id is None:
        raise Http404
    text = request.GET.get("q", "").strip()
    today = timezone.localdate()
    sees_addresses = request.user.has_perm("customers.view_identifier")
    matches = [
        match
        for match in search(
            text, region=settings.BUTLER_COUNTRY, today=today, sees_addresses=sees_addresses
        )
        if match.id != live_id
    ]
    audit.log_console_access(request, [live_id], part="identifiers")
    audit.log_console_access(request, [match.id for match in matches], part="search")
    own = describe([live_id], today=today)
    context = {
        "customer": {"id": live_id, "name": own[0].name if own else ""},
        "text": text,
        "rows": [(match, labels.MATCH_KINDS.get(match.found_by, "")) for match in matches],
        "identifiers": identifier_rows(identity.identifiers(live_id)),
        "form": DecisionForm(),
        "section": "search",
    }
    return render(request, "console/merge_search.html", context)
