"""The home page with the current record, which live.js updates."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from channels.pages import content_security
from channels.pages.home_view import read_home_view
from channels.portal.decorators import ChoiceRequired, opened_record, own_opening, render_page
from customers.identity.opening_rules import Opening


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
        view = read_home_view(customer, timezone.now())
        context |= view._asdict() | _account_hints(opening.opening)
    # With `parts`, return only the parts that change; live.js requests them after an event.
    template = "portal/home_parts.html" if "parts" in request.GET else "portal/home.html"
    return render_page(request, template, customer, "home", **context)


@require_safe
@never_cache
def clock(request: HttpRequest) -> HttpResponse:
    """Return the time in milliseconds, so that a page can measure its latency."""
    return JsonResponse({"now": timezone.now().timestamp() * 1000})


def _account_hints(opening: Opening) -> dict[str, bool]:
    """Return which accounts the page mentions, beside the one that it shows."""
    return {
        "has_closed_accounts": bool(opening.closed_accounts),
        "has_other_accounts": len(opening.records) > 1,
    }


def _example_panel() -> dict[str, Any]:
    """Return the panel that an example company adds to the page, if there is one."""
    name = settings.BUTLER_EXAMPLE
    panel = f"{name}/panel.html" if name and settings.DEBUG else None
    return {"panel": panel, "panel_part": panel and f"{panel}#counters"}
