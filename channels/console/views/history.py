"""All of what a record holds, page by page: its orders, what happened, what was said and was not."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from butler.queries import inbox
from channels.console.presenters.customer import moments, order
from channels.console.views import access, audit, decisions
from customers.identity.search import describe
from customers.queries import lists
from customers.queries.timeline import TimelineFilter, timeline

SHOWN = 30


@require_safe
@access.page("customers.view_order")
def orders(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """List every order, the newest first."""
    live = lists.live_id(customer_id)
    if live is None:
        raise Http404
    page = lists.orders(live, cursor=request.GET.get("cursor"), limit=SHOWN)
    found = [order(one) for one in page.results]
    return _shown(request, live, "orders", page.next, orders=found)


@require_safe
@access.page("customers.view_event")
def happened(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """List everything that happened, the newest first."""
    live = lists.live_id(customer_id)
    cursor = request.GET.get("cursor")
    page = timeline(live, filters=TimelineFilter(), cursor=cursor, limit=SHOWN) if live else None
    if live is None or page is None:
        raise Http404
    return _shown(request, live, "timeline", page.next, moments=moments(page.results))


@require_safe
@access.page("butler.view_message")
def told(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """List everything that was said, and what was not, each with its reason."""
    doorway = inbox.resolve_customer(customer_id)
    if doorway is None:
        raise Http404
    found, following = decisions.occasions(doorway, cursor=request.GET.get("cursor"), limit=SHOWN)
    return _shown(request, doorway.id, "messages", following, occasions=found)


def _shown(
    request: HttpRequest, live: UUID, what: str, following: str | None, **found: object
) -> HttpResponse:
    audit.look(request, [live], what=what)
    named = describe([live], today=timezone.localdate())
    shown = {
        **found,
        "person": {"id": live, "name": named[0].name if named else ""},
        "what": what,
        "is_first": "cursor" not in request.GET,
        "next": following,
        "here": "search",
    }
    return render(request, "console/history.html", shown)
