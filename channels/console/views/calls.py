"""A ringing phone opens the right page: of one customer, of a choice, or of nobody yet."""

from datetime import datetime
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from channels.console.views import access, audit
from customers.identity import ringing_calls, search


def shown(now: datetime) -> list[ringing_calls.Call]:
    return ringing_calls.find_ringing_calls(region=settings.BUTLER_COUNTRY, now=now)


@require_safe
@access.page("customers.view_interaction")
def ringing(request: HttpRequest) -> HttpResponse:
    """List what rings; the page asks for this part again every second or so."""
    template = "console/calls.html#ringing" if "parts" in request.GET else "console/calls.html"
    return render(request, template, {"calls": shown(timezone.now()), "here": "calls"})


@require_safe
@access.page("customers.view_interaction")
def answer(request: HttpRequest, reference: str) -> HttpResponse:
    """Go to who is calling. Of several nobody's record is opened before one was chosen."""
    call = ringing_calls.find_call(reference, region=settings.BUTLER_COUNTRY)
    if call is None:
        raise Http404
    found = ringing_calls.find_callers(call, region=settings.BUTLER_COUNTRY)
    if len(found) == 1:
        page = reverse("console:customer", args=[found[0].id])
        return redirect(f"{page}?{urlencode({'for': f'call {reference}'[:100]})}")
    people = search.describe([match.id for match in found], today=timezone.localdate())
    audit.look(request, [one.id for one in people], what="search", reason=f"call {reference}")
    query = quote(call.number)
    return render(
        request,
        "console/call.html",
        {"call": call, "people": people, "query": query, "here": "calls"},
    )
