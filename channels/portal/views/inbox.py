"""The messages to the customer, with their delivery states."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from butler.actions import inbox as actions
from butler.queries import inbox as queries
from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.messages import message_card
from channels.portal.decorators import form, not_found, page, render_page
from customers.queries.pages import BadCursor, Page

PAGE_SIZE = 25


@page
def list_messages(request: HttpRequest, customer: ResolvedCustomer) -> HttpResponse:
    """List the messages of all channels, and mark the listed ones as seen."""
    cursor = request.GET.get("cursor")
    try:
        page_of_messages = queries.messages(
            customer.ids, cursor=cursor, limit=PAGE_SIZE, part=customer.part
        )
    except BadCursor:
        return redirect("portal:inbox")
    _mark_seen(customer, page_of_messages)
    # Only the newest page is updated live.
    context = {
        "cards": [message_card(message) for message in page_of_messages.results],
        "next": page_of_messages.next,
        "previous": page_of_messages.previous,
        "is_live": cursor is None,
    }
    template = "portal/inbox.html#parts" if "parts" in request.GET else "portal/inbox.html"
    return render_page(request, template, customer, "inbox", **context)


@page
def show_message(
    request: HttpRequest, customer: ResolvedCustomer, message_id: UUID
) -> HttpResponse:
    """Show one message and mark it as seen; the customer can mark it as read."""
    message = queries.message(customer.ids, message_id, part=customer.part)
    if message is None:
        return not_found(request, customer, "inbox")
    actions.mark_seen(ids=customer.ids, messages=[message.id], now=timezone.now())
    card = message_card(message, site=settings.BUTLER_SITE_URL)
    return render_page(request, "portal/message.html", customer, "inbox", card=card)


@form
def mark_read(request: HttpRequest, customer: ResolvedCustomer, message_id: UUID) -> HttpResponse:
    """Mark a message as read."""
    if queries.message(customer.ids, message_id, part=customer.part) is None:
        return not_found(request, customer, "inbox")
    try:
        actions.mark_read(ids=customer.ids, message_id=message_id, now=timezone.now())
    except actions.NoSuchMessage:
        return not_found(request, customer, "inbox")
    return redirect("portal:inbox")


def _mark_seen(customer: ResolvedCustomer, page_of_messages: Page[queries.MessageShape]) -> None:
    unseen = [
        message.id
        for message in page_of_messages.results
        if message.channel == queries.INBOX and not message.seen_at
    ]
    if unseen:
        actions.mark_seen(ids=customer.ids, messages=unseen, now=timezone.now())
