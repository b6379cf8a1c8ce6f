"""Customers: found, and shown as far as a role goes."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from butler.decisions import inputs as judging
from butler.queries import decisions as decision_queries
from butler.queries import inbox
from butler.queries.tasks import tasks_of
from butler.types import Facts
from channels.console.presenters import events
from channels.console.presenters.customer import Person, allowed, moments, person
from channels.console.views import access, audit, decisions
from customers.access.access_log import SYSTEM
from customers.identity.search import CustomerMatch, search
from customers.models import Purpose
from customers.queries import lists
from customers.queries.record import record
from customers.queries.timeline import TimelineFilter, timeline

EVENTS, MESSAGES = 30, 8
# How long a message that somebody would send now makes sense, for judging whether it may go.
SENSIBLE = timedelta(days=1)


@require_safe
@access.page("customers.find_customer")
def find(request: HttpRequest) -> HttpResponse:
    """Search. Everybody who is shown was looked at."""
    text = request.GET.get("q", "").strip()
    sees = request.user.has_perm("customers.view_identifier")
    found = search(
        text, region=settings.BUTLER_COUNTRY, today=timezone.localdate(), sees_addresses=sees
    )
    audit.look(request, [one.id for one in found], what="search")
    apart = _apart(found, timezone.now()) if sees else {}
    people = [
        (one, events.FOUND_BY.get(one.found_by, one.found_by), apart.get(one.id, ""))
        for one in found
    ]
    shown = {"text": text, "people": people, "sees_addresses": sees, "here": "search"}
    return render(request, "console/search.html", shown)


def _apart(found: Sequence[CustomerMatch], now: datetime) -> dict[UUID, str]:
    """Return what tells namesakes apart; who has a name alone is not shown any closer."""
    times = Counter(one.name.casefold() for one in found)
    alike = [one.id for one in found if times[one.name.casefold()] > 1]
    return {
        id_: ", ".join(dict.fromkeys(one.value for one in (facts.addresses or {}).values()))
        for id_, facts in judging.read_facts(alike, now=now).items()
    }


@require_safe
@access.page("customers.meet_customer")
def show(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show one customer: the person first, then whatever the role may see."""
    now = timezone.now()
    found = record(customer_id, today=timezone.localdate(now))
    if found is None:
        raise Http404
    facts = judging.read_facts([found.id], now=now).get(found.id)
    shown = person(found, facts, now=now, today=timezone.localdate(now))
    is_part = "parts" in request.GET
    if not is_part:
        audit.look(request, [found.id], what="page", reason=request.GET.get("for", ""))
    template = "console/customer_parts.html" if is_part else "console/customer.html"
    context = {
        "person": shown,
        "here": "search",
        "live_url": settings.LIVE_URL,
        "reason": events.opened_for(request.GET.get("for", "")),
        **_extras(request, shown, found.id, facts, now),
    }
    return render(request, template, context)


def _extras(
    request: HttpRequest, shown: Person, customer_id: UUID, facts: Facts | None, now: datetime
) -> dict[str, Any]:
    """Return what only some roles see."""
    may = request.user.has_perm
    extras: dict[str, Any] = {}
    if may("customers.view_control"):
        extras["acts"] = _allowed(facts, now)
    if may("customers.view_event"):
        page = timeline(customer_id, filters=TimelineFilter(), cursor=None, limit=EVENTS)
        extras["moments"] = moments(page.results if page else ())
        extras["more_happened"] = page.next if page else None
    if may("butler.view_message") and (doorway := inbox.resolve_customer(customer_id)):
        extras["occasions"], extras["more_said"] = decisions.occasions(
            doorway, cursor=None, limit=MESSAGES
        )
    if may("butler.view_stafftask"):
        extras["tasks"] = tasks_of(customer_id, by=audit.principal(request))
    if may("customers.view_review") and shown.joins:
        extras["merges"] = [
            (one, events.REASONS.get(one.reason, one.reason))
            for one in lists.merges(customer_id)
            if not one.undone_at
        ]
    return extras


def _allowed(facts: Facts | None, now: datetime) -> list[Any]:
    if facts is None:
        return []
    purposes = {
        one.key: str(one.texts.get("en", {}).get("name") or one.key)
        for one in Purpose.objects.filter(kind=Purpose.Kind.CONTACT, is_offered=True).order_by(
            "position", "key"
        )
    }
    return list(allowed(facts, judging.rules(), purposes, now=now, until=now + SENSIBLE))


@require_safe
@access.page("customers.view_accesslogentry")
def looks(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show who looked at a record, when and why."""
    doorway = inbox.resolve_customer(customer_id)
    if doorway is None:
        raise Http404
    audit.look(request, [doorway.id], what="looks")
    page = decision_queries.access_log(
        doorway.ids, cursor=request.GET.get("cursor") or None, limit=50
    )
    shown = {
        "looks": [_looked(look) for look in page.results],
        "next": page.next,
        "customer_id": doorway.id,
        "here": "search",
    }
    return render(request, "console/access_log.html", shown)


def _looked(look: decision_queries.AccessLogEntryShape) -> dict[str, Any]:
    return {
        "at": look.at,
        "who": events.actor(look.actor) or look.actor,
        "role": "system" if look.role == SYSTEM else look.role,
        "what": events.LOOKED_AT.get(look.what, look.what),
        "reason": events.opened_for(look.reason),
    }
