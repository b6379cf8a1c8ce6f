"""Access to the console: staff need a second factor, and a page needs a permission of their role.

A staff session exists only after both factors. Between password and second factor, the session
stores the user whose password was right, and gives access to no page.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie

from channels.pages import content_security, sign_in_forms
from customers.api.sessions import open_session
from customers.models import User
from customers.queries.pages import BadCursor

type View = Callable[..., HttpResponse]

SIGNED_IN_AT, LAST_USED_AT, PASSWORD_CHECK = (
    "console.passed_at",
    "console.touched_at",
    "console.pending",
)
# Seconds: the longest time between the password and the second factor, and the shortest time
# between two extensions of a session.
PASSWORD_CHECK_LIFETIME, REFRESH_INTERVAL = 600, 60


def signed_in_staff(request: HttpRequest) -> User | None:
    """Return the staff member of this session, or None without both factors."""
    user = request.user
    if (
        isinstance(user, User)
        and user.is_staff
        and user.is_active
        and SIGNED_IN_AT in request.session
    ):
        return user
    return None


def page(permission: str = "", *, is_for_all: bool = False) -> Callable[[View], View]:
    """Serve a page to staff with this permission, or to all staff."""
    # Exactly one of the two is required.
    assert bool(permission) != is_for_all

    def wrap(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = signed_in_staff(request)
            if user is None:
                return to_sign_in(request)
            if "parts" not in request.GET:
                # Automatic requests of a page do not count as activity of the staff member.
                _extend_session(request, timezone.now())
            if permission and not user.has_perm(permission):
                return render(request, "console/forbidden.html", status=403)
            return _show(view, request, *args, **kwargs)

        page_view: View = never_cache(ensure_csrf_cookie(content_security.strict(wrapper)))
        page_view.required_permission = permission  # type: ignore[attr-defined]  # read by tests
        return page_view

    return wrap


def _show(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        # The console is in English, independent of the browser's language.
        with translation.override("en"):
            return view(request, *args, **kwargs)
    except BadCursor:
        # The cursor is invalid: show the first page.
        return redirect(request.path)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in, which leads back to the page of a GET request."""
    address = request.get_full_path() if request.method == "GET" else ""
    query = urlencode({"next": address}) if address and "parts" not in request.GET else ""
    return redirect(f"{reverse('console:sign-in')}?{query}" if query else "console:sign-in")


def next_page(request: HttpRequest) -> str:
    """Return the page of staff to show after the sign-in; by default the home page."""
    home = reverse("console:home")
    return sign_in_forms.next_page(request, [home, "/admin/"]) or home


# The two steps ------------------------------------------------------------------------


def begin_sign_in(request: HttpRequest, user: User, now: datetime) -> None:
    """Store the user whose password was right, under a new session key."""
    request.session.flush()
    proof = user.get_session_auth_hash()
    request.session[PASSWORD_CHECK] = {"user": user.pk, "proof": proof, "at": now.timestamp()}
    request.session.set_expiry(PASSWORD_CHECK_LIFETIME)


def awaiting_second_factor(request: HttpRequest, now: datetime) -> User | None:
    """Return the user who gave the password recently, if the password did not change since."""
    check = request.session.get(PASSWORD_CHECK)
    if not check or not 0 <= now.timestamp() - check["at"] <= PASSWORD_CHECK_LIFETIME:
        return None
    user = User.objects.filter(pk=check["user"], is_staff=True, is_active=True).first()
    return user if user and user.get_session_auth_hash() == check["proof"] else None


def complete_sign_in(request: HttpRequest, user: User, now: datetime) -> None:
    """Open the session after both factors."""
    open_session(request, user)
    request.session[SIGNED_IN_AT] = now.timestamp()
    _extend_session(request, now)


def _extend_session(request: HttpRequest, now: datetime) -> None:
    """Postpone the end of the session; without use, it expires by itself."""
    last = request.session.get(LAST_USED_AT, 0)
    if now.timestamp() - last >= REFRESH_INTERVAL:
        request.session[LAST_USED_AT] = now.timestamp()
        request.session.set_expiry(settings.CONSOLE_IDLE_MINUTES * 60)


class AdminAccessMiddleware:
    """Admit only console sessions to the pages of the Django admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        if signed_in_staff(request) is None:
            return to_sign_in(request)
        _extend_session(request, timezone.now())
        return self.get_response(request)
