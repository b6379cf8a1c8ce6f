"""Everything we said to the customer, and what became of it."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from butler.actions import inbox as actions
from butler.queries import inbox as queries
from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.messages import letter
from channels.portal.decorators import form, missing, page, shown
from customers.queries.pages import BadCursor, Page

SHOWN = 25


@page
def inbox(request: HttpRequest, door: ResolvedCustomer) -> HttpResponse:
    """List messages of every channel; what is on the screen was seen."""
    cursor = request.GET.get("cursor")
    try:
        found = queries.messages(door.ids, cursor=cursor, limit=SHOWN)
    except BadCursor:
        return redirect("portal:inbox")
    _see(door, found)
    # Only the newest page lives: an older one stays what was asked for.
    context = {
        "letters": [letter(message) for message in found.results],
        "next": found.next,
        "previous": found.previous,
        "is_live": cursor is None,
    }
    template = "portal/inbox.html#parts" if "parts" in request.GET else "portal/inbox.html"
    return shown(request, template, door, "inbox", **context)


@page
def message(request: HttpRequest, door: ResolvedCustomer, message_id: UUID) -> HttpResponse:
    """Show one message; opening it makes it seen, saying so makes it read."""
    found = queries.message(door.ids, message_id)
    if found is None:
        return missing(request, door, "inbox")
    actions.mark_seen(ids=door.ids, messages=[found.id], now=timezone.now())
    one = letter(found, site=settings.BUTLER_SITE_URL)
    return shown(request, "portal/message.html", door, "inbox", letter=one)


@form
def read(request: HttpRequest, door: ResolvedCustomer, message_id: UUID) -> HttpResponse:
    """Note that a message was read."""
    try:
        actions.mark_read(ids=door.ids, message_id=message_id, now=timezone.now())
    except actions.NoSuchMessage:
        return missing(request, door, "inbox")
    return redirect("portal:inbox")


def _see(door: ResolvedCustomer, found: Page[queries.MessageShape]) -> None:
    fresh = [one.id for one in found.results if one.channel == queries.INBOX and not one.seen_at]
    if fresh:
        actions.mark_seen(ids=door.ids, messages=fresh, now=timezone.now())
