"""The first page: the record as it is, and as it changes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from butler.decisions.inputs import is_of_age
from butler.queries.inbox import ResolvedCustomer, messages, subjects
from channels.pages import content_security
from channels.pages.presenters import decisions, preferences
from channels.pages.presenters import messages as presenter_messages
from channels.pages.presenters.record import Called, Page, message_of, page
from channels.portal.decorators import door_of, shown
from customers.consent import history
from customers.queries.record import record
from customers.queries.shapes import EventShape, PurposeShape, RecordShape, trait_text
from customers.queries.timeline import TimelineFilter, timeline

SHOWN = 10
SHOWN_MESSAGES = 3
_ALL = TimelineFilter()


@require_safe
@never_cache
@ensure_csrf_cookie
@content_security.strict
def home(request: HttpRequest) -> HttpResponse:
    """Show who is signed in their own record; everybody else, what this is."""
    if not request.user.is_authenticated:
        return render(request, "portal/welcome.html", _extras())
    door = door_of(request)
    context = {**_known(door), **_extras()} if door else _extras()
    # Only the parts that change: what live.js asks for when an event arrived.
    template = "portal/home_parts.html" if "parts" in request.GET else "portal/home.html"
    return shown(request, template, door, "home", **context)


@require_safe
@never_cache
def clock(request: HttpRequest) -> HttpResponse:
    """Tell the time in milliseconds, so that a page can measure how late it is."""
    return JsonResponse({"now": timezone.now().timestamp() * 1000})


def _known(door: ResolvedCustomer) -> dict[str, Any]:
    newest = messages(door.ids, cursor=None, limit=SHOWN_MESSAGES)
    purposes = history.purposes(get_language() or "en")
    today = timezone.localdate()
    found = record(door.id, today=today)
    return {
        "page": _page(door, found, purposes, today) if found else None,
        "letters": [presenter_messages.letter(message) for message in newest.results],
        "stances": _stances(found, purposes, today) if found else (),
    }


def _stances(
    found: RecordShape, purposes: Sequence[PurposeShape], today: date
) -> list[tuple[str, bool]]:
    """Return what may be sent to the customer, by purpose, and whether it may."""
    state = history.current_state(found.id)
    born, country = (trait_text(found, name) for name in ("birth_date", "country"))
    old_enough = is_of_age(born or None, country, today)
    asked = [one for one in purposes if one.kind == "contact" and one.is_offered]
    return [(one.name, preferences.stance(state, one.key, is_of_age=old_enough)) for one in asked]


def _page(
    door: ResolvedCustomer, found: RecordShape, purposes: Sequence[PurposeShape], today: date
) -> Page:
    events = _events(found, SHOWN)
    return page(
        found, events, called=_called(door, events, purposes), scan=_scan(found), today=today
    )


def _called(
    door: ResolvedCustomer, events: Sequence[EventShape], purposes: Sequence[PurposeShape]
) -> Called:
    told = {message for event in events if (message := message_of(event))}
    names = decisions.names_of(purposes, history.topics(get_language() or "en"))
    return Called(subjects(door.ids, told), names)


def _scan(found: RecordShape) -> datetime | None:
    """Tell when the code of the next visit was last shown at the gate."""
    if found.next_visit is None:
        return None
    about = f"order:{found.next_visit.number}"
    scans = _events(found, 1, TimelineFilter(about=about, name="Ticket Scanned"))
    return scans[0].occurred_at if scans else None


def _events(found: RecordShape, limit: int, narrow: TimelineFilter = _ALL) -> Sequence[EventShape]:
    events = timeline(found.id, filters=narrow, cursor=None, limit=limit)
    return events.results if events else ()


def _extras() -> dict[str, Any]:
    """Return what an example adds to the page, if there is one."""
    name = settings.BUTLER_EXAMPLE
    panel = f"{name}/panel.html" if name and settings.DEBUG else None
    return {"panel": panel, "panel_part": panel and f"{panel}#counters"}
