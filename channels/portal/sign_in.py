"""The pages to sign in and out, with forms that work without scripts."""

from functools import partial

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from channels.pages import content_security, sign_in_forms
from channels.pages.sign_in_forms import AddressForm, SentCodeForm, field_texts
from customers import db
from customers.api import sign_in
from customers.api.problems import Problem

# The error texts by the kind of problem.
ERROR_TEXTS = {
    "not-an-address": gettext_noop(
        "This is not an e-mail address. Enter one such as noor@example.com."
    ),
    "not-a-number": gettext_noop(
        "This is no e-mail address and no phone number. Enter one such as noor@example.com or +31612345678."
    ),
    "no-code-number": gettext_noop(
        "We send no codes to this number. Enter a mobile number or an e-mail address."
    ),
    "no-text": gettext_noop("We cannot send SMS at this moment. Please try again in a minute."),
    "too-often": gettext_noop("Too many attempts. Wait a while, then ask for a new code."),
    "no-mail": gettext_noop("We cannot send mail at this moment. Please try again in a minute."),
    "wrong-code": gettext_noop(
        "The code is wrong or has expired. Check it, or ask for a new code."
    ),
    "staff-sign-in": gettext_noop("Staff sign in with a password, at the console."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def request_code(request: HttpRequest) -> HttpResponse:
    """Send a code to an address, with or without an account."""
    next_page = _next_page(request)
    if request.method != "POST":
        return render(request, "portal/sign_in.html", {"next": next_page})
    email = field_texts(AddressForm(request.POST))["email"]
    try:
        sign_in_request = sign_in.send_code(request, *sign_in.address_of(email))
    except Problem as problem:
        return _form_with_error(
            request, "portal/sign_in.html", problem, email=email, next=next_page
        )
    context = {
        "email": email,
        "kind": sign_in_request.kind,
        "handle": sign_in_request.handle,
        "next": next_page,
    }
    # The code was sent, so the customer must see the form for it.
    return db.retry_if_connection_lost(
        partial(render, request, "portal/sign_in_code.html", context)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def confirm_code(request: HttpRequest) -> HttpResponse:
    """Check the code and sign in under a new session key."""
    if request.method != "POST":
        return redirect("portal:sign-in")
    fields = field_texts(SentCodeForm(request.POST))
    try:
        sign_in.sign_in_by_code(request, handle=fields["handle"], code=fields["code"])
    except Problem as problem:
        context = {
            "email": fields["email"],
            "kind": sign_in.address_of(fields["email"])[0],
            "handle": fields["handle"],
            "next": _next_page(request),
        }
        return _form_with_error(request, "portal/sign_in_code.html", problem, **context)
    return redirect(_next_page(request) or "portal:home")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return redirect("portal:home")


def _next_page(request: HttpRequest) -> str:
    return sign_in_forms.next_page(request, ["/"])


def _form_with_error(
    request: HttpRequest, template: str, problem: Problem, **context: str
) -> HttpResponse:
    error = _(ERROR_TEXTS[problem.kind]) if problem.kind in ERROR_TEXTS else problem.text
    return render(request, template, {**context, "error": error}, status=problem.status_code)
