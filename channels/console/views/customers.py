"""The search for customers, and the customer page with the parts that the staff role allows."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from butler.decisions import inputs
from butler.queries import decisions as decision_queries
from butler.queries import inbox
from butler.queries.tasks import tasks_of
from butler.types import Facts
from channels.console.presenters import labels
from channels.console.presenters.customer import CustomerPage, customer_page
from channels.console.presenters.permissions import ContactPermission, contact_permissions
from channels.console.presenters.timeline import timeline_days
from channels.console.views import access, audit, decisions, merges
from channels.console.views.search_rows import find_rows
from customers.access.access_log import SYSTEM
from customers.models import Purpose
from customers.queries.record import read_record
from customers.queries.shared_calls import read_shared_calls
from customers.queries.timeline import TimelineFilter, timeline_by_time

EVENTS_LIMIT, OCCASIONS_LIMIT, ENTRIES_LIMIT = 30, 8, 50
# The lifetime of a message that staff would send now.
MESSAGE_LIFETIME = timedelta(days=1)


@require_safe
@access.page("customers.find_customer")
def search_customers(request: HttpRequest) -> HttpResponse:
    """Search customers, and add an access log entry for each customer in the result."""
    text = request.GET.get("q", "").strip()
    sees_addresses = request.user.has_perm("customers.view_identifier")
    rows = find_rows(request, text)
    context = {"text": text, "rows": rows, "sees_addresses": sees_addresses, "section": "search"}
    return render(request, "console/search.html", context)


@require_safe
@access.page("customers.meet_customer")
def show_customer(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show one customer: the record, then the parts that only some roles see."""
    now = timezone.now()
    today = timezone.localdate(now)
    shape = read_record(customer_id, today=today, part=None)
    if shape is None:
        raise Http404
    facts = inputs.read_facts([shape.id], now=now).get(shape.id)
    customer = customer_page(shape, facts, now=now, today=today)
    is_part = "parts" in request.GET
    reason = request.GET.get("for", "")
    if is_part:
        # An open page requests its parts again after each event of the customer.
        audit.log_polled_access(request, [shape.id], part="page", reason="", now=now)
    else:
        audit.log_console_access(request, [shape.id], part="page", reason=reason)
    template = "console/customer_parts.html" if is_part else "console/customer.html"
    context = {
        "customer": customer,
        "section": "search",
        "live_url": settings.LIVE_URL,
        "reason": labels.access_reason(request.GET.get("for", "")),
        **_role_context(request, customer, shape.id, facts, now),
    }
    return render(request, template, context)


def _role_context(
    request: HttpRequest,
    customer: CustomerPage,
    customer_id: UUID,
    facts: Facts | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the parts that only some roles see."""
    has_perm = request.user.has_perm
    context: dict[str, Any] = {}
    if has_perm("customers.view_consentstate"):
        context["permissions"] = _permissions(facts, now)
    if has_perm("customers.view_event"):
        context |= _timeline_context(customer_id)
    if has_perm("butler.view_message") and (resolved := inbox.resolve_customer(customer_id)):
        context["occasions"], context["has_more_occasions"] = decisions.occasions(
            resolved, cursor=None, limit=OCCASIONS_LIMIT
        )
    if has_perm("customers.view_interaction"):
        context["shared_calls"] = read_shared_calls(customer_id)
    if has_perm("butler.view_stafftask"):
        context["tasks"] = tasks_of(customer_id, by=audit.principal(request))
    if has_perm("customers.view_review") and customer.merge_count:
        context["merges"] = merges.active_merges(customer_id)
    return context


def _timeline_context(customer_id: UUID) -> dict[str, Any]:
    page = timeline_by_time(
        customer_id,
        filters=TimelineFilter(),
        cursor=None,
        limit=EVENTS_LIMIT,
        part=None,
        is_for_customer=False,
    )
    events = page.results if page else ()
    return {
        "timeline": timeline_days(
            events, decisions.reference_names(customer_id, events), today=timezone.localdate()
        ),
        "has_more_events": page.next if page else None,
    }


def _permissions(facts: Facts | None, now: datetime) -> list[ContactPermission]:
    if facts is None:
        return []
    purposes = {
        purpose.key: str(purpose.texts.get("en", {}).get("name") or purpose.key)
        for purpose in Purpose.objects.filter(kind=Purpose.Kind.CONTACT, is_offered=True).order_by(
            "position", "key"
        )
    }
    until = now + MESSAGE_LIFETIME
    return contact_permissions(facts, inputs.rules(), purposes, now=now, until=until)


@require_safe
@access.page("customers.view_accesslogentry")
def access_log(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the access log of a record."""
    customer = inbox.resolve_customer(customer_id)
    if customer is None:
        raise Http404
    audit.log_console_access(request, [customer.id], part="looks")
    page = decision_queries.access_log(
        customer.ids, cursor=request.GET.get("cursor") or None, limit=ENTRIES_LIMIT
    )
    context = {
        "entries": [_access_log_row(entry) for entry in page.results],
        "next": page.next,
        "customer_id": customer.id,
        "section": "search",
    }
    return render(request, "console/access_log.html", context)


def _access_log_row(entry: decision_queries.AccessLogEntryShape) -> dict[str, Any]:
    return {
        "at": entry.at,
        "actor": labels.actor_name(entry.actor) or entry.actor,
        "role": "system" if entry.role == SYSTEM else entry.role,
        "part": labels.ACCESSED_PARTS.get(entry.what, entry.what),
        "reason": labels.access_reason(entry.reason),
    }
