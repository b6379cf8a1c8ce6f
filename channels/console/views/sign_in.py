"""The sign-in of staff: a password, then a second factor, which the first sign-in sets up."""

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
from channels.pages.sign_in_forms import CodeForm, PasswordForm, field_texts
from customers import db
from customers.actions import staff_sign_in
from customers.actions.attempt_limits import TooManyAttempts
from customers.actions.staff_sign_in import WrongAuthenticatorCode, WrongPassword
from customers.api.sessions import network_of
from customers.models import User

WRONG_PASSWORD = "The address or the password is wrong. Check both and try again."
WRONG_CODE = "The code is wrong or was used before. Wait for the next code and enter it."
_SECRET = "console.secret"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def check_password(request: HttpRequest) -> HttpResponse:
    """Check address and password; continue with the second factor, or with its setup."""
    if request.method != "POST":
        if access.signed_in_staff(request):
            return redirect(access.next_page(request))
        return _form(request, "sign_in.html")
    now = timezone.now()
    fields = field_texts(PasswordForm(request.POST))
    email, password = fields["email"], fields["password"]
    try:
        user = staff_sign_in.check_password(
            email=email, password=password, network=network_of(request), now=now
        )
    except WrongPassword:
        return _form(request, "sign_in.html", error=WRONG_PASSWORD, email=email, status=403)
    except TooManyAttempts as error:
        return _too_often(request, "sign_in.html", error, email=email)
    access.begin_sign_in(request, user, now)
    step = "sign-in-code" if staff_sign_in.has_second_factor(user) else "set-up"
    return redirect(
        f"{reverse(f'console:{step}')}?{urlencode({'next': access.next_page(request)})}"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def check_code(request: HttpRequest) -> HttpResponse:
    """Check the code of the authenticator app, or a recovery code."""
    now = timezone.now()
    user = access.awaiting_second_factor(request, now)
    if user is None or not staff_sign_in.has_second_factor(user):
        return redirect("console:sign-in")
    if request.method != "POST":
        return _form(request, "sign_in_code.html")
    next_page = access.next_page(request)
    try:
        staff_sign_in.check_code(
            user=user,
            code=field_texts(CodeForm(request.POST))["code"],
            now=now,
            open_session=partial(access.complete_sign_in, request, user, now),
        )
    except WrongAuthenticatorCode:
        return _form(request, "sign_in_code.html", error=WRONG_CODE, status=403)
    except TooManyAttempts as error:
        return _too_often(request, "sign_in_code.html", error)
    return redirect(next_page)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def set_up_second_factor(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app, without which staff have no access."""
    now = timezone.now()
    user = access.awaiting_second_factor(request, now)
    if user is None or staff_sign_in.has_second_factor(user):
        return redirect("console:sign-in")
    secret = request.session.setdefault(_SECRET, staff_sign_in.new_secret())
    context: dict[str, Any] = {"secret": _grouped(secret), "qr_code": _qr_code(user, secret)}
    if request.method != "POST":
        return _form(request, "set_up_second_factor.html", **context)
    next_page = access.next_page(request)
    try:
        codes = staff_sign_in.enroll(
            user=user,
            secret=secret,
            code=field_texts(CodeForm(request.POST))["code"],
            now=now,
            open_session=partial(access.complete_sign_in, request, user, now),
        )
    except WrongAuthenticatorCode:
        return _form(request, "set_up_second_factor.html", error=WRONG_CODE, status=403, **context)
    except TooManyAttempts as error:
        return _too_often(request, "set_up_second_factor.html", error, **context)
    # The codes are shown only once, so this page must be shown.
    return db.retry_if_connection_lost(partial(own_codes.render_codes, request, codes, next_page))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and show the sign-in page."""
    logout(request)
    return redirect("console:sign-in")


def _form(
    request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    context["next"] = access.next_page(request)
    return render(request, f"console/{template}", context, status=status)


def _too_often(
    request: HttpRequest, template: str, error: TooManyAttempts, **context: Any
) -> HttpResponse:
    minutes = -(-error.seconds // 60)
    text = f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
    response = _form(request, template, error=text, status=429, **context)
    response["Retry-After"] = str(error.seconds)
    return response


def _grouped(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _qr_code(user: User, secret: str) -> SafeString:
    """Return the QR code for an authenticator app as SVG markup, which segno generates."""
    label = quote(f"{settings.BUTLER_COMPANY}:{user.email}")
    address = f"otpauth://totp/{label}?" + urlencode(
        {"secret": secret, "issuer": settings.BUTLER_COMPANY}
    )
    markup: str = segno.make(address, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None
    )
    return mark_safe(markup)
