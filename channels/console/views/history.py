"""The whole history of a record, page by page: orders, timeline and decisions."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from butler.queries import inbox
from channels.console.forms import TimelineForm
from channels.console.presenters.orders import staff_order
from channels.console.presenters.timeline import timeline_days
from channels.console.views import access, audit, decisions
from channels.console.views.live_records import customer_name, find_live_id
from customers.queries import lists
from customers.queries.timeline import TimelineFilter, timeline_by_time

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
    """List all events of the record by time, the latest first, with filters."""
    live_id = lists.live_id(customer_id)
    form = TimelineForm(request.GET)
    filters = form.filters() if form.is_valid() else TimelineFilter()
    cursor = request.GET.get("cursor")
    page = (
        timeline_by_time(
            live_id,
            filters=filters,
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
    days = timeline_days(
        page.results,
        decisions.reference_names(live_id, page.results),
        today=timezone.localdate(),
    )
    return _render_page(
        request,
        live_id,
        "timeline",
        page.next,
        timeline=days,
        form=form,
        is_filtered=filters != TimelineFilter(),
        has_all=len(page.results) == PAGE_SIZE or page.next is None,
    )


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
        "filters": urlencode(
            [(name, text) for name, text in request.GET.items() if name != "cursor"]
        ),
        "next": next_cursor,
        "section": "search",
    }
    return render(request, "console/history.html", context)
