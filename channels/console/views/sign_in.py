"""Signing in as staff: password, then second factor; the first time, setting one up."""

from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from channels.console.views import access
from channels.console.views import codes as own_codes
from channels.pages import content_security
from customers import db
from customers.actions import staff_sign_in
from customers.actions.staff_sign_in import TooManyAttempts, WrongCode, WrongPassword
from customers.api.sessions import network_of
from customers.models import User

WRONG_PASSWORD = "This address and this password do not open anything here."
WRONG_CODE = "That code is not right, or was used before."
_SECRET = "console.secret"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def ask(request: HttpRequest) -> HttpResponse:
    """Take address and password; go on to the second factor, or to setting one up."""
    if request.method != "POST":
        if access.colleague(request):
            return redirect(access.where_next(request))
        return _form(request, "sign_in.html")
    now = timezone.now()
    email = request.POST.get("email", "")
    try:
        user = staff_sign_in.check_password(
            email=email,
            password=request.POST.get("password", ""),
            network=network_of(request),
            now=now,
        )
    except WrongPassword:
        return _form(request, "sign_in.html", wrong=WRONG_PASSWORD, email=email, status=403)
    except TooManyAttempts as error:
        return _later(request, "sign_in.html", error, email=email)
    access.remember(request, user, now)
    step = "code" if staff_sign_in.has_second_factor(user) else "set-up"
    return redirect(
        f"{reverse(f'console:{step}')}?{urlencode({'next': access.where_next(request)})}"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def prove(request: HttpRequest) -> HttpResponse:
    """Take the code of the authenticator app, or a recovery code."""
    now = timezone.now()
    user = access.pending(request, now)
    if user is None or not staff_sign_in.has_second_factor(user):
        return redirect("console:sign-in")
    if request.method != "POST":
        return _form(request, "sign_in_code.html")
    wanted = access.where_next(request)
    try:
        staff_sign_in.check_code(
            user=user,
            code=request.POST.get("code", ""),
            now=now,
            open_session=partial(access.let_in, request, user, now),
        )
    except WrongCode:
        return _form(request, "sign_in_code.html", wrong=WRONG_CODE, status=403)
    except TooManyAttempts as error:
        return _later(request, "sign_in_code.html", error)
    return redirect(wanted)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def set_up(request: HttpRequest) -> HttpResponse:
    """Take up an authenticator app; without one, staff can do nothing else."""
    now = timezone.now()
    user = access.pending(request, now)
    if user is None or staff_sign_in.has_second_factor(user):
        return redirect("console:sign-in")
    secret = request.session.setdefault(_SECRET, staff_sign_in.new_secret())
    shown: dict[str, Any] = {"secret": _grouped(secret), "picture": _picture(user, secret)}
    if request.method != "POST":
        return _form(request, "set_up_second_factor.html", **shown)
    wanted = access.where_next(request)
    try:
        codes = staff_sign_in.enroll(
            user=user,
            secret=secret,
            code=request.POST.get("code", ""),
            now=now,
            open_session=partial(access.let_in, request, user, now),
        )
    except WrongCode:
        return _form(request, "set_up_second_factor.html", wrong=WRONG_CODE, status=403, **shown)
    except TooManyAttempts as error:
        return _later(request, "set_up_second_factor.html", error, **shown)
    # They are shown this once, so the page has to come.
    return db.retry_if_connection_lost(partial(own_codes.show, request, codes, wanted))


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("console:sign-in")


def _form(request: HttpRequest, template: str, *, status: int = 200, **shown: Any) -> HttpResponse:
    shown["next"] = access.where_next(request)
    return render(request, f"console/{template}", shown, status=status)


def _later(
    request: HttpRequest, template: str, error: TooManyAttempts, **shown: Any
) -> HttpResponse:
    minutes = -(-error.seconds // 60)
    wrong = f"Too many tries. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
    response = _form(request, template, wrong=wrong, status=429, **shown)
    response["Retry-After"] = str(error.seconds)
    return response


def _grouped(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _picture(user: User, secret: str) -> SafeString:
    """Draw what an authenticator app scans. All of it is ours: nothing in it needs escaping."""
    label = quote(f"{settings.BUTLER_COMPANY}:{user.email}")
    address = f"otpauth://totp/{label}?" + urlencode(
        {"secret": secret, "issuer": settings.BUTLER_COMPANY}
    )
    drawn: str = segno.make(address, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None
    )
    return mark_safe(drawn)
