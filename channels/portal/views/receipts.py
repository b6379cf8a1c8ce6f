"""The consent ledger of the customer, with a receipt for each entry."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language

from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.decisions import catalog_names
from channels.pages.presenters.ledger import ledger_row
from channels.portal.decorators import contact_page, not_found, render_page
from customers.consent import ledger_export, purpose_texts
from customers.queries.pages import BadCursor

PAGE_SIZE = 25


@contact_page
def list_receipts(request: HttpRequest, customer: ResolvedCustomer) -> HttpResponse:
    """List the entries, the newest first."""
    language = get_language() or "en"
    try:
        entries = ledger_export.ledger_entries(
            customer.id,
            cursor=request.GET.get("cursor"),
            limit=PAGE_SIZE,
            part=customer.part,
        )
    except BadCursor:
        return redirect("portal:receipts")
    names = catalog_names(purpose_texts.purposes(language), purpose_texts.topics(language))
    context = {
        "rows": [ledger_row(entry, names) for entry in entries.results],
        "next": entries.next,
        "previous": entries.previous,
    }
    return render_page(request, "portal/receipts.html", customer, "preferences", **context)


@contact_page
def receipt_file(request: HttpRequest, customer: ResolvedCustomer, entry_id: UUID) -> HttpResponse:
    """Return one receipt as a file, which anybody can verify without access to Butler."""
    document = ledger_export.receipt(customer.id, entry_id, part=customer.part)
    if document is None:
        return not_found(request, customer, "preferences")
    return _json_file(document, f"receipt-{entry_id}.json")


@contact_page
def ledger_file(request: HttpRequest, customer: ResolvedCustomer) -> HttpResponse:
    """Return the whole ledger as one file."""
    return _json_file(ledger_export.export_ledger(customer.id, part=customer.part), "ledger.json")


def _json_file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
