"""The home page with the current record, which live.js updates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from butler.decisions.decide import has_consent
from butler.decisions.inputs import read_facts, rules
from butler.queries.inbox import ResolvedCustomer, messages, subjects
from channels.pages import content_security
from channels.pages.presenters.decisions import catalog_names
from channels.pages.presenters.messages import message_card
from channels.pages.presenters.record import RecordPage, record_page
from channels.pages.presenters.timeline import ReferenceNames, message_id_of
from channels.portal.decorators import (
    ChoiceRequired,
    has_contact,
    opened_record,
    own_opening,
    render_page,
)
from customers.consent import purpose_texts
from customers.identity.merge_reasons import merge_reasons
from customers.identity.opening_rules import Opening
from customers.queries.consent_shapes import PurposeShape
from customers.queries.record import read_record
from customers.queries.shapes import EventShape, RecordShape
from customers.queries.timeline import TimelineFilter, timeline

EVENTS_LIMIT = 10
MESSAGES_LIMIT = 3
_ALL = TimelineFilter()


@require_safe
@never_cache
@ensure_csrf_cookie
@content_security.strict
def home(request: HttpRequest) -> HttpResponse:
    """Show the record to a signed-in customer, and a welcome page to other visitors."""
    if not request.user.is_authenticated:
        return render(request, "portal/welcome.html", _example_panel())
    try:
        opening = own_opening(request)
    except ChoiceRequired:
        return redirect("portal:accounts")
    customer = opened_record(opening)
    context = _example_panel()
    if customer and opening:
        context |= _record_context(customer) | _account_hints(opening.opening)
    # With `parts`, return only the parts that change; live.js requests them after an event.
    template = "portal/home_parts.html" if "parts" in request.GET else "portal/home.html"
    return render_page(request, template, customer, "home", **context)


@require_safe
@never_cache
def clock(request: HttpRequest) -> HttpResponse:
    """Return the time in milliseconds, so that a page can measure its latency."""
    return JsonResponse({"now": timezone.now().timestamp() * 1000})


def _record_context(customer: ResolvedCustomer) -> dict[str, Any]:
    newest = messages(customer.ids, cursor=None, limit=MESSAGES_LIMIT, part=customer.part)
    purposes = purpose_texts.purposes(get_language() or "en")
    now = timezone.now()
    shape = read_record(customer.id, today=timezone.localdate(now), part=customer.part)
    return {
        "page": _record_page(customer, shape, purposes, now) if shape else None,
        "cards": [message_card(message) for message in newest.results],
        "consents": _consents(customer, purposes, now) if shape and has_contact(customer) else (),
    }


def _account_hints(opening: Opening) -> dict[str, bool]:
    """Return which accounts the page mentions, beside the one that it shows."""
    return {
        "has_closed_accounts": bool(opening.closed_accounts),
        "has_other_accounts": len(opening.records) > 1,
    }


def _consents(
    customer: ResolvedCustomer, purposes: Sequence[PurposeShape], now: datetime
) -> list[tuple[str, bool]]:
    """Return the name of each contact purpose, and whether the customer consents to it."""
    facts = read_facts([customer.id], now=now).get(customer.id)
    company_rules = rules()
    return [
        (purpose.name, facts is not None and has_consent(facts, company_rules, purpose.key, now))
        for purpose in purposes
        if purpose.kind == "contact" and purpose.is_offered
    ]


def _record_page(
    customer: ResolvedCustomer, shape: RecordShape, purposes: Sequence[PurposeShape], now: datetime
) -> RecordPage:
    events = _events(customer, shape, EVENTS_LIMIT)
    names = _reference_names(customer, events, purposes)
    today = timezone.localdate(now)
    reasons = merge_reasons(merge.id for merge in shape.members) if shape.members else {}
    return record_page(
        shape,
        events,
        names=names,
        reasons=reasons,
        scanned_at=_scanned_at(customer, shape),
        today=today,
    )


def _reference_names(
    customer: ResolvedCustomer, events: Sequence[EventShape], purposes: Sequence[PurposeShape]
) -> ReferenceNames:
    message_ids = {message_id for event in events if (message_id := message_id_of(event))}
    catalog = catalog_names(purposes, purpose_texts.topics(get_language() or "en"))
    return ReferenceNames(subjects(customer.ids, message_ids, part=customer.part), catalog)


def _scanned_at(customer: ResolvedCustomer, shape: RecordShape) -> datetime | None:
    """Return the time of the last scan of the next visit's code at the gate, or None."""
    if shape.next_visit is None:
        return None
    about = f"order:{shape.next_visit.number}"
    scans = _events(customer, shape, 1, TimelineFilter(about=about, name="Ticket Scanned"))
    return scans[0].occurred_at if scans else None


def _events(
    customer: ResolvedCustomer, shape: RecordShape, limit: int, narrow: TimelineFilter = _ALL
) -> Sequence[EventShape]:
    events = timeline(shape.id, filters=narrow, cursor=None, limit=limit, part=customer.part)
    return events.results if events else ()


def _example_panel() -> dict[str, Any]:
    """Return the panel that an example company adds to the page, if there is one."""
    name = settings.BUTLER_EXAMPLE
    panel = f"{name}/panel.html" if name and settings.DEBUG else None
    return {"panel": panel, "panel_part": panel and f"{panel}#counters"}
