"""Everything the customer ever told us we may do, each with its receipt."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language

from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.decisions import names_of
from channels.pages.presenters.ledger import saying
from channels.portal.decorators import missing, page, shown
from customers.consent import history
from customers.queries.pages import BadCursor

SHOWN = 25


@page
def receipts(request: HttpRequest, door: ResolvedCustomer) -> HttpResponse:
    """List what was said, the newest first."""
    language = get_language() or "en"
    try:
        found = history.ledger_entries(door.id, cursor=request.GET.get("cursor"), limit=SHOWN)
    except BadCursor:
        return redirect("portal:receipts")
    names = names_of(history.purposes(language), history.topics(language))
    context = {
        "sayings": [saying(entry, names) for entry in found.results],
        "next": found.next,
        "previous": found.previous,
    }
    return shown(request, "portal/receipts.html", door, "preferences", **context)


@page
def receipt(request: HttpRequest, door: ResolvedCustomer, entry_id: UUID) -> HttpResponse:
    """Give one receipt as a file, which anybody can verify without us."""
    found = history.receipt(door.id, entry_id)
    if found is None:
        return missing(request, door, "preferences")
    return _file(found, f"receipt-{entry_id}.json")


@page
def ledger(request: HttpRequest, door: ResolvedCustomer) -> HttpResponse:
    """Give everything that was said as one file."""
    return _file(history.export_ledger(door.id), "ledger.json")


def _file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
