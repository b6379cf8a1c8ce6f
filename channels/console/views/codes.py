"""The recovery codes of a staff member: their number, and the pages to show or renew them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from channels.console.views import access
from channels.pages.sign_in_forms import RecoveryCodesForm, field_texts
from customers.actions import staff_sign_in
from customers.actions.attempt_limits import TooManyAttempts
from customers.actions.staff_sign_in import WrongAuthenticatorCode
from customers.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@access.page(is_for_all=True)
def show_or_renew(request: HttpRequest) -> HttpResponse:
    """Show or renew the codes after a check of the authenticator app."""
    user = request.user
    assert isinstance(user, User)
    if request.method != "POST":
        return _authenticator_form(request, user)
    fields = field_texts(RecoveryCodesForm(request.POST))
    try:
        staff_sign_in.check_app_code(user=user, code=fields["code"], now=timezone.now())
    except WrongAuthenticatorCode:
        error_text = "The code is wrong or was used before. Wait for the next code and enter it."
        return _authenticator_form(request, user, error=error_text, status=403)
    except TooManyAttempts as error:
        error_text = f"Too many attempts. Try again in {-(-error.seconds // 60)} minutes."
        return _authenticator_form(request, user, error=error_text, status=429)
    if fields["do"] == "renew":
        return render_codes(request, staff_sign_in.renew_recovery_codes(user=user))
    return render_codes(request, staff_sign_in.recovery_codes(user=user))


def render_codes(request: HttpRequest, codes: Sequence[str], next_page: str = "") -> HttpResponse:
    """Show codes, with a file to download; `next_page` is linked below them."""
    text = "\n".join(["Butler recovery codes. Each code signs you in once.", "", *codes, ""])
    context = {
        "codes": codes,
        # Part of the page: a separate response could be cached.
        "file": f"data:text/plain;charset=utf-8,{quote(text)}",
        "next": next_page or reverse("console:home"),
    }
    return render(request, "console/recovery_code_list.html", context)


def _authenticator_form(
    request: HttpRequest, user: User, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"remaining": len(staff_sign_in.recovery_codes(user=user)), "section": "codes"}
    return render(request, "console/recovery_codes.html", context, status=status)
