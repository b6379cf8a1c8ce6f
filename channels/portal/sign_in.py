"""The pages to sign in and out, with forms that work without scripts."""

from datetime import datetime
from functools import partial

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from channels.pages import content_security, sign_in_forms
from channels.pages.sign_in_forms import AddressForm, SentCodeForm, field_texts
from channels.portal import pending_sign_in
from channels.portal.pending_sign_in import PendingSignIn
from customers import db
from customers.actions.sign_in_codes import IssuedCode
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
        context = {"next": next_page, "has_ended": request.GET.get("ended") == "address"}
        return render(request, "portal/sign_in.html", context)
    email = field_texts(AddressForm(request.POST))["email"]
    try:
        sign_in_request = sign_in.send_code(request, *sign_in.address_of(email))
    except Problem as problem:
        return _form_with_error(
            request, "portal/sign_in.html", problem, email=email, next=next_page
        )
    # The code was sent, so the customer must see the form for it.
    return db.retry_if_connection_lost(
        partial(_lead_to_code_form, request, sign_in_request, email, next_page)
    )


def _lead_to_code_form(
    request: HttpRequest, issued: IssuedCode, email: str, next_page: str
) -> HttpResponse:
    """Redirect to the form, which sends no further code when the browser loads it again."""
    pending_sign_in.add_code(
        request.session,
        kind=issued.kind,
        address=email,
        handle=issued.handle,
        next_page=next_page,
        now=_now(),
    )
    if not request.user.is_authenticated:
        pending_sign_in.keep_for_visitor(request.session, settings.BUTLER_CODE_SECONDS)
    request.session.save()
    return redirect("portal:sign-in-code")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def confirm_code(request: HttpRequest) -> HttpResponse:
    """Show the form for the code; check the code and sign in under a new session key."""
    pending = pending_sign_in.read(request.session, now=_now())
    if request.method != "POST":
        if pending is None:
            return redirect("portal:sign-in")
        return render(request, "portal/sign_in_code.html", _form_values(pending))
    fields = field_texts(SentCodeForm(request.POST))
    is_of_form = pending is not None and fields["handle"] in pending.handles
    handles = pending.handles if pending and is_of_form else [fields["handle"]]
    try:
        sign_in.sign_in_by_codes(request, handles=handles, code=fields["code"])
    except Problem as problem:
        context = {
            "email": fields["email"],
            "kind": sign_in.address_of(fields["email"])[0],
            "handle": fields["handle"],
            "next": _next_page(request),
        }
        return _form_with_error(request, "portal/sign_in_code.html", problem, **context)
    return redirect(_next_page(request) or "portal:home")


def _now() -> datetime:
    return timezone.now()  # noqa: TID251  # pages are an edge


def _form_values(pending: PendingSignIn) -> dict[str, str]:
    return {
        "email": pending.address,
        "kind": pending.kind,
        "handle": pending.handles[0],
        "next": pending.next_page,
    }


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
