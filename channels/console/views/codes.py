"""A colleague's own recovery codes: how many are left, shown, kept as a file, made anew."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from channels.console.views import access
from customers.actions import staff_sign_in
from customers.actions.staff_sign_in import TooManyAttempts, WrongCode
from customers.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@access.page(is_for_all=True)
def codes(request: HttpRequest) -> HttpResponse:
    """Show one's codes, or make new ones, to who shows the authenticator app once more."""
    user = request.user
    assert isinstance(user, User)
    if request.method != "POST":
        return _asked(request, user)
    try:
        staff_sign_in.check_app_code(
            user=user, code=request.POST.get("code", ""), now=timezone.now()
        )
    except WrongCode:
        wrong = "That code is not right, or was used before. Wait for the next one."
        return _asked(request, user, wrong=wrong, status=403)
    except TooManyAttempts as error:
        wrong = f"Too many tries. Try again in {-(-error.seconds // 60)} minutes."
        return _asked(request, user, wrong=wrong, status=429)
    if request.POST.get("do") == "renew":
        return show(request, staff_sign_in.renew_recovery_codes(user=user))
    return show(request, staff_sign_in.recovery_codes(user=user))


def show(request: HttpRequest, known: Sequence[str], then: str = "") -> HttpResponse:
    """Show codes, with a file of them to keep; `then` is where the way goes on."""
    text = "\n".join(["Butler, recovery codes. Each opens the console once.", "", *known, ""])
    shown = {
        "codes": known,
        # In the page itself: a file of its own would be one more answer that somebody could keep.
        "file": f"data:text/plain;charset=utf-8,{quote(text)}",
        "next": then or reverse("console:home"),
    }
    return render(request, "console/recovery_code_list.html", shown)


def _asked(request: HttpRequest, user: User, *, status: int = 200, **shown: Any) -> HttpResponse:
    shown |= {"left": len(staff_sign_in.recovery_codes(user=user)), "here": "codes"}
    return render(request, "console/recovery_codes.html", shown, status=status)
