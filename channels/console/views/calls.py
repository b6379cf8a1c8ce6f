"""Ringing calls. To answer one opens the customer, or a list of possible customers."""

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from channels.console.views import access, audit
from customers.identity import ringing_calls, search


def ringing_calls_now(now: datetime) -> list[ringing_calls.Call]:
    """Return the calls that started within the last two minutes and are not over, at most 12."""
    return ringing_calls.find_ringing_calls(region=settings.BUTLER_COUNTRY, now=now)


@require_safe
@access.page("customers.view_interaction")
def list_ringing(request: HttpRequest) -> HttpResponse:
    """List the ringing calls; the page requests this part every second."""
    template = "console/calls.html#ringing" if "parts" in request.GET else "console/calls.html"
    return render(
        request, template, {"calls": ringing_calls_now(timezone.now()), "section": "calls"}
    )


@require_safe
@access.page("customers.view_interaction")
def answer(request: HttpRequest, reference: str) -> HttpResponse:
    """Open the record of the caller; of several possible callers, staff choose one."""
    call = ringing_calls.find_call(reference, region=settings.BUTLER_COUNTRY)
    if call is None:
        raise Http404
    callers = ringing_calls.find_callers(call, region=settings.BUTLER_COUNTRY)
    if len(callers) == 1:
        page = reverse("console:customer", args=[callers[0].id])
        return redirect(f"{page}?{urlencode({'for': f'call {reference}'[:100]})}")
    matches = search.describe([caller.id for caller in callers], today=timezone.localdate())
    audit.log_console_access(
        request, [match.id for match in matches], part="search", reason=f"call {reference}"
    )
    return render(
        request,
        "console/call.html",
        {"call": call, "matches": matches, "section": "calls"},
    )
