"""Ringing calls. To answer one opens the customer, or a list of possible customers."""

from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from channels.console.views import access, audit
from channels.console.views.live_records import find_live_id
from customers.actions.calls import NoSharedCall, refile_shared_call
from customers.identity import lookup, ringing_calls, search
from customers.identity.lookup import Match
from customers.identity.ringing_calls import Call, RingingCaller


class CallRow(NamedTuple):
    """A row of the list of calls."""

    call: Call
    # How often this number called within the last two minutes.
    call_count: int
    # The names of the customers who may be calling, as far as the colleague may find customers.
    names: list[str]
    # True if the page opens the record of the caller by itself.
    opens_itself: bool


def list_call_rows(request: HttpRequest) -> list[CallRow]:
    """Return the ringing calls with the names of their callers, and log that the list shows them."""
    now = timezone.now()
    callers = ringing_calls.find_ringing_callers(region=settings.BUTLER_COUNTRY, now=now)
    if not request.user.has_perm("customers.find_customer"):
        return [CallRow(caller.call, caller.call_count, [], False) for caller in callers]
    for caller in callers:
        audit.log_polled_access(
            request,
            [customer.id for customer in caller.customers],
            part="search",
            # Without the reference, which may contain a number or a name.
            reason="call",
            now=now,
        )
    return [
        CallRow(caller.call, caller.call_count, _names(caller.customers), _opens_itself(caller))
        for caller in callers
    ]


def _names(customers: list[Match]) -> list[str]:
    return [customer.name or "Customer without a name" for customer in customers]


def _opens_itself(caller: RingingCaller) -> bool:
    """Tell whether the call rings, and only one customer has its number and has proved it."""
    return (
        settings.CONSOLE_OPENS_CALLERS
        and caller.call.status == "ringing"
        and len(caller.customers) == 1
        and lookup.is_proved_holder(caller.call.number, caller.customers[0].id)
    )


def _reason(reference: str) -> str:
    return f"call {reference}"[:100]


@require_safe
@access.page("customers.view_interaction")
def list_ringing(request: HttpRequest) -> HttpResponse:
    """List the ringing calls; the page requests this part every second."""
    template = "console/calls.html#ringing" if "parts" in request.GET else "console/calls.html"
    return render(request, template, {"calls": list_call_rows(request), "section": "calls"})


@require_safe
@access.page("customers.view_interaction")
def answer(request: HttpRequest, reference: str) -> HttpResponse:
    """Open the record of the caller; of several possible callers, staff choose one."""
    call = ringing_calls.find_call(reference, region=settings.BUTLER_COUNTRY)
    if call is None:
        raise Http404
    callers = ringing_calls.find_callers(call)
    if len(callers) == 1:
        page = reverse("console:customer", args=[callers[0].id])
        return redirect(f"{page}?{urlencode({'for': _reason(reference)})}")
    matches = search.describe([caller.id for caller in callers], today=timezone.localdate())
    audit.log_console_access(request, [match.id for match in matches], part="search", reason="call")
    return render(
        request,
        "console/call.html",
        {"call": call, "matches": matches, "section": "calls"},
    )


@require_POST
@access.page("customers.view_interaction")
def open_caller(request: HttpRequest, reference: str) -> HttpResponse:
    """Open the customer who is calling, and file the call from a shared number on this customer."""
    try:
        live_id = find_live_id(UUID(request.POST.get("customer", "")))
    except ValueError:
        return redirect("console:call", reference=reference)
    if request.user.has_perm("customers.change_review"):
        _refile(request, live_id, reference)
    page = reverse("console:customer", args=[live_id])
    return redirect(f"{page}?{urlencode({'for': _reason(reference)})}")


@require_POST
@access.page("customers.change_review")
def move_call(request: HttpRequest, customer_id: UUID, reference: str) -> HttpResponse:
    """File a call from a number that several customers have on this customer."""
    live_id = find_live_id(customer_id)
    if not _refile(request, live_id, reference):
        raise Http404
    messages.success(request, "The call is on this page now.")
    return redirect("console:customer", customer_id=live_id)


def _refile(request: HttpRequest, live_id: UUID, reference: str) -> bool:
    """File a call on a customer; return False if the customer does not have its number."""
    try:
        refile_shared_call(live_id, reference, actor=audit.actor(request), now=timezone.now())
    except NoSharedCall:
        return False
    return True
