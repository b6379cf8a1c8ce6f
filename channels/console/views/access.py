"""Who is let in: staff who showed a second factor, each to what their role allows.

A staff session exists only once both factors were shown. Until then the session knows whose
password was right, and opens nothing.
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
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie

from channels.pages import content_security
from customers.api.sessions import open_session
from customers.models import User
from customers.queries.pages import BadCursor

type View = Callable[..., HttpResponse]

PASSED, TOUCHED, PENDING = "console.passed_at", "console.touched_at", "console.pending"
# Seconds: how long a right password waits for its second factor, and how often a session that
# is in use is written anew.
PATIENCE, REFRESH = 600, 60


def colleague(request: HttpRequest) -> User | None:
    """Return who works here, if both factors were shown in this session."""
    user = request.user
    if isinstance(user, User) and user.is_staff and user.is_active and PASSED in request.session:
        return user
    return None


def page(right: str = "", *, is_for_all: bool = False) -> Callable[[View], View]:
    """Serve a page to colleagues with this permission, or to all of them."""
    # One of the two has to be said: a page that says neither is for nobody.
    assert bool(right) != is_for_all

    def wrap(view: View) -> View:
        @wraps(view)
        def served(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = colleague(request)
            if user is None:
                return to_sign_in(request)
            if "parts" not in request.GET:
                # What a page asks for by itself is no sign that somebody is there.
                _touch(request, timezone.now())
            if right and not user.has_perm(right):
                return render(request, "console/forbidden.html", status=403)
            try:
                # Words, dates and amounts: whatever a colleague's browser asks for.
                with translation.override("en"):
                    return view(request, *args, **kwargs)
            except BadCursor:
                # No page of this list: its beginning is one.
                return redirect(request.path)

        guarded: View = never_cache(ensure_csrf_cookie(content_security.strict(served)))
        guarded.needs = right  # type: ignore[attr-defined]  # for the table of the tests
        return guarded

    return wrap


def to_sign_in(request: HttpRequest) -> HttpResponse:
    wanted = request.get_full_path() if request.method == "GET" else ""
    query = urlencode({"next": wanted}) if wanted and "parts" not in request.GET else ""
    return redirect(f"{reverse('console:sign-in')}?{query}" if query else "console:sign-in")


def where_next(request: HttpRequest) -> str:
    """Return the page of ours that somebody was on the way to."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, None) and wanted.startswith(
        (reverse("console:home"), "/admin/")
    )
    return wanted if is_ours else reverse("console:home")


# The two steps ------------------------------------------------------------------------


def remember(request: HttpRequest, user: User, now: datetime) -> None:
    """Note whose password was right, under a fresh session key."""
    request.session.flush()
    proof = user.get_session_auth_hash()
    request.session[PENDING] = {"user": user.pk, "proof": proof, "at": now.timestamp()}
    request.session.set_expiry(PATIENCE)


def pending(request: HttpRequest, now: datetime) -> User | None:
    """Return whose password was right a moment ago; nobody where it was changed since."""
    noted = request.session.get(PENDING)
    if not noted or not 0 <= now.timestamp() - noted["at"] <= PATIENCE:
        return None
    user = User.objects.filter(pk=noted["user"], is_staff=True, is_active=True).first()
    return user if user and user.get_session_auth_hash() == noted["proof"] else None


def let_in(request: HttpRequest, user: User, now: datetime) -> None:
    """Open the session: both factors were shown."""
    open_session(request, user)
    request.session[PASSED] = now.timestamp()
    _touch(request, now)


def _touch(request: HttpRequest, now: datetime) -> None:
    """Put the end of the session off: it ends by itself, in every process, when nobody is there."""
    last = request.session.get(TOUCHED, 0)
    if now.timestamp() - last >= REFRESH:
        request.session[TOUCHED] = now.timestamp()
        request.session.set_expiry(settings.CONSOLE_IDLE_MINUTES * 60)


class AdminDoorMiddleware:
    """The administrator's pages open to the same sessions as the console's, and to no other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        if colleague(request) is None:
            return to_sign_in(request)
        _touch(request, timezone.now())
        return self.get_response(request)
