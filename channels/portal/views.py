"""The customer's page: the record as it is, and as it changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from channels.portal import policy
from channels.portal.page import Page, page
from customers.models import User
from customers.queries.record import record
from customers.queries.shapes import EventShape, RecordShape
from customers.queries.timeline import Filter, timeline

SHOWN = 10
_ALL = Filter()


@require_safe
@never_cache
@ensure_csrf_cookie
@policy.strict
def home(request: HttpRequest) -> HttpResponse:
    """Show who is signed in their own record; everybody else, what this is."""
    if not request.user.is_authenticated:
        return render(request, "portal/welcome.html", _extras())
    assert isinstance(request.user, User)
    shown = _page(request.user.record_id)
    # Only the parts that change: what live.js asks for when an event arrived.
    template = "portal/parts.html" if "parts" in request.GET else "portal/home.html"
    context = {"page": shown, "live_url": settings.LIVE_URL, **_extras()}
    return render(request, template, context)


@require_safe
@never_cache
def clock(request: HttpRequest) -> HttpResponse:
    """Tell the time in milliseconds, so that a page can measure how late it is."""
    return JsonResponse({"now": timezone.now().timestamp() * 1000})


def _page(record_id: UUID | None) -> Page | None:
    now = timezone.now()
    found = record(record_id, today=timezone.localdate(now)) if record_id else None
    if found is None:
        return None
    today = timezone.localdate(now)
    return page(found, _events(found.id, SHOWN), scan=_scan(found), today=today)


def _scan(found: RecordShape) -> datetime | None:
    """Tell when the code of the next visit was last shown at the gate."""
    if found.next_visit is None:
        return None
    about = f"order:{found.next_visit.number}"
    scans = _events(found.id, 1, Filter(about=about, name="Ticket Scanned"))
    return scans[0].occurred_at if scans else None


def _events(customer_id: UUID, limit: int, narrow: Filter = _ALL) -> Sequence[EventShape]:
    found = timeline(customer_id, narrow=narrow, cursor=None, limit=limit)
    return found.results if found else ()


def _extras() -> dict[str, Any]:
    """Return what an example adds to the page, if there is one."""
    name = settings.BUTLER_EXAMPLE
    panel = f"{name}/panel.html" if name and settings.DEBUG else None
    return {"panel": panel, "panel_part": panel and f"{panel}#counters"}
