"""Signing in and out: two small forms that work without a script."""

from functools import partial

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from channels.pages import content_security
from customers import db
from customers.api import sign_in
from customers.api.problems import Problem

# What went wrong, by the kind of problem, in words for the person who typed.
WRONG = {
    "not-an-address": gettext_noop("Please give an e-mail address, such as noor@example.com."),
    "too-often": gettext_noop("Too many tries. Wait a little, then ask for a new code."),
    "no-mail": gettext_noop("We cannot send mail at this moment. Please try again in a minute."),
    "wrong-code": gettext_noop("That code is not right, or no longer good."),
    "staff-sign-in": gettext_noop("Staff sign in with a password, on the pages for staff."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def ask(request: HttpRequest) -> HttpResponse:
    """Take an address and send a code to it, whoever it belongs to."""
    email, after = request.POST.get("email", "").strip(), _after(request)
    if request.method != "POST":
        return render(request, "portal/sign_in.html", {"next": after})
    try:
        asked = sign_in.send_code(request, email)
    except Problem as problem:
        return _again(request, "portal/sign_in.html", problem, email=email, next=after)
    shown = {"email": email, "handle": asked.handle, "next": after}
    # The code is on its way, so its form has to come.
    return db.retry_if_connection_lost(partial(render, request, "portal/sign_in_code.html", shown))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def prove(request: HttpRequest) -> HttpResponse:
    """Take the code; whoever has it is signed in under a fresh session."""
    if request.method != "POST":
        return redirect("portal:sign-in")
    email, handle = request.POST.get("email", ""), request.POST.get("handle", "")
    # People copy codes with the blanks that their mail shows.
    code = "".join(request.POST.get("code", "").split())
    try:
        sign_in.sign_in_by_code(request, handle=handle, code=code)
    except Problem as problem:
        typed = {"email": email, "handle": handle, "next": _after(request)}
        return _again(request, "portal/sign_in_code.html", problem, **typed)
    return redirect(_after(request) or "portal:home")


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return redirect("portal:home")


def _after(request: HttpRequest) -> str:
    """Return the page to go on to, if it is one of ours: a link must not lead elsewhere."""
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=request.is_secure()
    )
    return wanted if is_ours else ""


def _again(request: HttpRequest, template: str, problem: Problem, **shown: str) -> HttpResponse:
    wrong = _(WRONG[problem.kind]) if problem.kind in WRONG else problem.text
    return render(request, template, {**shown, "wrong": wrong}, status=problem.status_code)
