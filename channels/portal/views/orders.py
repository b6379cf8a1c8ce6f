"""What the customer ordered: all of it, one of it, in the calendar, at the gate."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header

from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.record import moment_of, order_of
from channels.portal import visit
from channels.portal.decorators import missing, page, shown
from customers.queries import lists
from customers.queries.pages import BadCursor
from customers.queries.timeline import TimelineFilter, timeline

SHOWN = 20
SHOWN_CHANGES = 30


@page
def orders(request: HttpRequest, door: ResolvedCustomer) -> HttpResponse:
    """List orders, the newest first."""
    try:
        found = lists.orders(door.id, cursor=request.GET.get("cursor"), limit=SHOWN)
    except BadCursor:
        return redirect("portal:orders")
    context = {
        "orders": [order_of(order) for order in found.results],
        "next": found.next,
        "previous": found.previous,
    }
    return shown(request, "portal/orders.html", door, "orders", **context)


@page
def order(request: HttpRequest, door: ResolvedCustomer, number: str) -> HttpResponse:
    """Show one order with its lines, and who changed what."""
    found = lists.order(door.id, number)
    if found is None:
        return missing(request, door, "orders")
    about = TimelineFilter(about=f"order:{number}")
    changes = timeline(door.id, filters=about, cursor=None, limit=SHOWN_CHANGES)
    context = {
        "order": order_of(found),
        "moments": [moment_of(event) for event in changes.results] if changes else [],
        "has_code": visit.opens_the_gate(found),
        "has_calendar": visit.is_in_calendar(found),
        "is_claimed": not (found.is_verified or order_of(found).is_requested),
    }
    return shown(request, "portal/order.html", door, "orders", **context)


@page
def calendar(request: HttpRequest, door: ResolvedCustomer, number: str) -> HttpResponse:
    """Give the visit as a calendar file; the same visit, changed, replaces itself there."""
    found = lists.order(door.id, number)
    if found is None or not visit.is_in_calendar(found):
        return missing(request, door, "orders")
    response = HttpResponse(visit.calendar(found), content_type="text/calendar; charset=utf-8")
    name = "".join(sign if sign.isalnum() else "-" for sign in number)[:60]
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.ics")
    response["Content-Disposition"] = disposition or "attachment"
    return response


@page
def code(request: HttpRequest, door: ResolvedCustomer, number: str) -> HttpResponse:
    """Give the code that the gate reads, as a picture of any size."""
    found = lists.order(door.id, number)
    if found is None or not visit.opens_the_gate(found):
        return missing(request, door, "orders")
    return HttpResponse(visit.code(number), content_type="image/svg+xml")
