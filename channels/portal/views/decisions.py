"""Decisions about messages, and the access log."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language

from butler.queries import decisions as queries
from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.decisions import access_log_rows, catalog_names, occasion_card
from channels.portal.decorators import contact_page, render_page
from customers.consent import purpose_texts
from customers.queries.pages import BadCursor

PAGE_SIZE = 20
_SENT = {"yes": True, "no": False}


@contact_page
def decisions(request: HttpRequest, customer: ResolvedCustomer) -> HttpResponse:
    """Show the decisions about messages, each with its reason and a link to its preference."""
    language = get_language() or "en"
    tab = request.GET.get("sent", "")
    cursor = request.GET.get("cursor")
    try:
        occasions = queries.occasions(
            customer.ids,
            is_sent=_SENT.get(tab),
            cursor=cursor,
            limit=PAGE_SIZE,
            part=customer.part,
        )
    except BadCursor:
        return redirect("portal:decisions")
    names = catalog_names(purpose_texts.purposes(language), purpose_texts.topics(language))
    context = {
        "occasions": [occasion_card(occasion, names, language) for occasion in occasions.results],
        "next": occasions.next,
        "tab": tab if tab in _SENT else "all",
    }
    return render_page(request, "portal/decisions.html", customer, "decisions", **context)


@contact_page
def access_log(request: HttpRequest, customer: ResolvedCustomer) -> HttpResponse:
    """Show the access log of the record."""
    try:
        entries = queries.access_log(
            customer.ids,
            cursor=request.GET.get("cursor"),
            limit=PAGE_SIZE,
            part=customer.part,
        )
    except BadCursor:
        return redirect("portal:access-log")
    context = {
        "entries": access_log_rows(entries.results),
        "next": entries.next,
        "previous": entries.previous,
        "tab": "access-log",
    }
    return render_page(request, "portal/access_log.html", customer, "decisions", **context)
