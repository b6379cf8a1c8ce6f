"""The customer's orders: the list, one order, its calendar entry and its ticket codes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.orders import order_card
from channels.pages.presenters.timeline import timeline_entry
from channels.portal import order_files
from channels.portal.decorators import form, not_found, page, render_page
from customers.access.sessions import session_proofs
from customers.actions import ticket_codes
from customers.actions.changes import ChangeAuthor, UnreachableRecord
from customers.actions.orders import OrderTarget
from customers.events import internal_sources
from customers.identity.openable_graph import read_openable
from customers.models import User
from customers.queries import lists
from customers.queries.pages import BadCursor
from customers.queries.timeline import TimelineFilter, timeline_by_time
from customers.values.order_numbers import sent_number

PAGE_SIZE = 20
CHANGES_LIMIT = 30


@page
def list_orders(request: HttpRequest, customer: ResolvedCustomer) -> HttpResponse:
    """List orders, the newest first."""
    try:
        page_of_orders = lists.orders(
            customer.id, cursor=request.GET.get("cursor"), limit=PAGE_SIZE, part=customer.part
        )
    except BadCursor:
        return redirect("portal:orders")
    context = {
        "orders": [order_card(order) for order in page_of_orders.results],
        "next": page_of_orders.next,
        "previous": page_of_orders.previous,
    }
    return render_page(request, "portal/orders.html", customer, "orders", **context)


@page
def show_order(request: HttpRequest, customer: ResolvedCustomer, number: str) -> HttpResponse:
    """Show one order with its lines and the history of its changes."""
    order = lists.order(customer.id, number, part=customer.part)
    if order is None:
        return not_found(request, customer, "orders")
    of_order = TimelineFilter(about=f"order:{sent_number(number)}")
    changes = timeline_by_time(
        customer.id,
        filters=of_order,
        cursor=None,
        limit=CHANGES_LIMIT,
        part=customer.part,
        is_for_customer=True,
    )
    card = order_card(order)
    context = {
        "order": card,
        "tickets": _tickets(customer, number),
        "timeline": [timeline_entry(event) for event in changes.results] if changes else [],
        "is_refused": "refused" in request.GET,
        "is_changed": "changed" in request.GET,
        "has_calendar_file": order_files.has_calendar_file(order),
        "is_claimed": not (order.is_verified or card.is_requested or card.is_closed),
    }
    return render_page(request, "portal/order.html", customer, "orders", **context)


@page
def calendar_file(request: HttpRequest, customer: ResolvedCustomer, number: str) -> HttpResponse:
    """Return the visit as a calendar file, which replaces earlier versions of the visit."""
    order = lists.order(customer.id, number, part=customer.part)
    if order is None or not order_files.has_calendar_file(order):
        return not_found(request, customer, "orders")
    response = HttpResponse(
        order_files.calendar_file(order, _tickets(customer, number)),
        content_type="text/calendar; charset=utf-8",
    )
    name = "".join(char if char.isalnum() else "-" for char in number)[:60]
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.ics")
    response["Content-Disposition"] = disposition or "attachment"
    return response


@page
def qr_code(request: HttpRequest, customer: ResolvedCustomer, number: str) -> HttpResponse:
    """Return the QR code of a ticket, which the gate reads, as SVG."""
    order = lists.order(customer.id, number, part=customer.part)
    tickets = _tickets(customer, number) if order else []
    guest = request.GET.get("guest", "")
    code = next((ticket.code for ticket in tickets if ticket.guest == guest), None)
    if code is None:
        return not_found(request, customer, "orders")
    return HttpResponse(order_files.qr_code(code), content_type="image/svg+xml")


@form
def change_codes(request: HttpRequest, customer: ResolvedCustomer, number: str) -> HttpResponse:
    """Replace the codes of an order. The earlier codes do not open the gate any more."""
    if lists.order(customer.id, number, part=customer.part) is None:
        return not_found(request, customer, "orders")
    assert isinstance(request.user, User)
    opened_ids = customer.part.identifier_ids if customer.part else frozenset[int]()
    author = ChangeAuthor(
        internal_sources.signed_in_sender("customer portal", "web"), "", opened_ids
    )
    target = OrderTarget(customer.id, number, author, timezone.now())
    proved = read_openable(session_proofs(request.user, request.session)).proved
    try:
        ticket_codes.require_handover(target, frozenset(proved))
        ticket_codes.replace_codes(target=target)
    except (ticket_codes.UnconfirmedAccount, ticket_codes.NoTicket, UnreachableRecord):
        return _to_order(number, "refused")
    return _to_order(number, "changed")


def _to_order(number: str, notice: str) -> HttpResponse:
    return redirect(f"{reverse('portal:order', args=[number])}?{notice}#take")


def _tickets(customer: ResolvedCustomer, number: str) -> list[ticket_codes.Ticket]:
    return ticket_codes.read_tickets(customer_id=customer.id, number=number, now=timezone.now())
