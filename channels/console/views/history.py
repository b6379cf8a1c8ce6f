"""The whole history of a record, page by page: orders, timeline and decisions."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from butler.queries import inbox
from channels.console.presenters.customer import timeline_entries
from channels.console.presenters.orders import staff_order
from channels.console.views import access, audit, decisions
from channels.console.views.live_records import customer_name, find_live_id
from customers.queries import lists
from customers.queries.timeline import TimelineFilter, timeline

PAGE_SIZE = 30


@require_safe
@access.page("customers.view_order")
def list_orders(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """List every order, the newest first."""
    live_id = find_live_id(customer_id)
    page = lists.orders(live_id, cursor=request.GET.get("cursor"), limit=PAGE_SIZE, part=None)
    orders = [staff_order(order) for order in page.results]
    return _render_page(request, live_id, "orders", page.next, orders=orders)


@require_safe
@access.page("customers.view_event")
def show_timeline(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """List all events of the record, the newest first."""
    live_id = lists.live_id(customer_id)
    cursor = request.GET.get("cursor")
    page = (
        timeline(
            live_id,
            filters=TimelineFilter(),
            cursor=cursor,
            limit=PAGE_SIZE,
            part=None,
            is_for_customer=False,
        )
        if live_id
        else None
    )
    if live_id is None or page is None:
        raise Http404
    entries = timeline_entries(page.results, decisions.staff_names())
    return _render_page(request, live_id, "timeline", page.next, timeline=entries)


@require_safe
@access.page("butler.view_message")
def list_decisions(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """List the messages that were sent, and those that were not, each with its reason."""
    customer = inbox.resolve_customer(customer_id)
    if customer is None:
        raise Http404
    cursor = request.GET.get("cursor")
    occasions, next_cursor = decisions.occasions(customer, cursor=cursor, limit=PAGE_SIZE)
    return _render_page(request, customer.id, "messages", next_cursor, occasions=occasions)


def _render_page(
    request: HttpRequest, live_id: UUID, what: str, next_cursor: str | None, **lists_shown: object
) -> HttpResponse:
    audit.log_console_access(request, [live_id], part=what)
    context = {
        **lists_shown,
        "customer": {"id": live_id, "name": customer_name(live_id)},
        "what": what,
        "is_first": "cursor" not in request.GET,
        "next": next_cursor,
        "section": "search",
    }
    return render(request, "console/history.html", context)
