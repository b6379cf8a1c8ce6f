"""Why: what was sent and what was not, and who looked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language

from butler.queries import decisions as queries
from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters import decisions
from channels.portal.decorators import page, shown
from customers.consent import history
from customers.queries.pages import BadCursor

SHOWN = 20
_SENT = {"yes": True, "no": False}


@page
def why(request: HttpRequest, door: ResolvedCustomer) -> HttpResponse:
    """Show every message that was sent or not, with the reason and where to change it."""
    language = get_language() or "en"
    only = request.GET.get("sent", "")
    try:
        found = queries.occasions(
            door.ids, is_sent=_SENT.get(only), cursor=request.GET.get("cursor"), limit=SHOWN
        )
    except BadCursor:
        return redirect("portal:why")
    names = decisions.names_of(history.purposes(language), history.topics(language))
    context = {
        "occasions": [decisions.occasion(one, names, language) for one in found.results],
        "next": found.next,
        "only": only if only in _SENT else "all",
    }
    return shown(request, "portal/decisions.html", door, "why", **context)


@page
def looks(request: HttpRequest, door: ResolvedCustomer) -> HttpResponse:
    """Show who looked at the record."""
    try:
        found = queries.access_log(door.ids, cursor=request.GET.get("cursor"), limit=SHOWN)
    except BadCursor:
        return redirect("portal:looks")
    context = {
        "glances": decisions.glances(found.results),
        "next": found.next,
        "previous": found.previous,
        "only": "looks",
    }
    return shown(request, "portal/access_log.html", door, "why", **context)
