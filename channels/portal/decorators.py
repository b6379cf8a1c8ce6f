"""What every page of a customer has around it: whose it is, where one is, what is unread."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from butler.queries.inbox import ResolvedCustomer, resolve_customer
from channels.pages import content_security, error_pages
from customers.models import User

type Own = Callable[..., HttpResponse]


def page(view: Own) -> Own:
    """Serve a page about the record of who is signed in; the view gets its doorway."""
    return require_safe(
        never_cache(ensure_csrf_cookie(content_security.strict(_of_own_record(view))))
    )


def form(view: Own) -> Own:
    """Take a form of who is signed in; the view gets the doorway of the record."""
    return require_POST(never_cache(content_security.strict(_of_own_record(view))))


def door_of(request: HttpRequest) -> ResolvedCustomer | None:
    """Return the doorway to the record of who is signed in; None: there is no record."""
    if not isinstance(request.user, User) or request.user.record_id is None:
        return None
    return resolve_customer(request.user.record_id)


def shown(
    request: HttpRequest, template: str, door: ResolvedCustomer | None, here: str, **context: Any
) -> HttpResponse:
    """Render a page with what is around it; `here` is its place in the navigation."""
    status = context.pop("status", 200)
    around = {"door": door, "here": here, "live_url": settings.LIVE_URL}
    return render(request, template, {**around, **context}, status=status)


def missing(request: HttpRequest, door: ResolvedCustomer | None, here: str) -> HttpResponse:
    """Say 404 with the same words whatever is missing, or whoever it belongs to."""
    return shown(request, "portal/error.html", door, here, status=404, words=error_pages.WORDS[404])


def _of_own_record(view: Own) -> Own:
    @wraps(view)
    def served(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        door = door_of(request)
        if door is None:
            return shown(request, "portal/home.html", None, "home")
        return view(request, door, *args, **kwargs)

    return served


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    # A form that was filled in meanwhile cannot be sent again; its page can be opened again.
    back = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    query = f"?{urlencode({'next': back})}" if back else ""
    return redirect(f"{resolve_url('portal:sign-in')}{query}")
