"""Signs customers in with passkeys at the portal, and changes the passkeys on their page."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from channels.pages import content_security, sign_in_forms
from channels.portal import pending_sign_in
from channels.portal.forms import CredentialForm
from customers.access.webauthn import CHALLENGE_SECONDS, InvalidCredential
from customers.actions import passkeys
from customers.actions.passkeys import NoSuchPasskey, OldProof, TooManyPasskeys
from customers.api.passkey_sign_in import sign_in_by_passkey, sign_in_options
from customers.api.passkeys import create_passkey
from customers.api.problems import Problem
from customers.models import Passkey, User

# The key of the session data of a visitor who may sign in with a passkey.
_STARTED = "passkey_sign_in"
ERROR_TEXTS = {
    "invalid-passkey": gettext_noop(
        "This passkey does not open anything here. Sign in with a code instead."
    ),
    "too-often": gettext_noop("Too many attempts. Wait a while, then ask for a new code."),
    "old-proof": gettext_noop("Confirm your address with a code first. Then add the passkey."),
    "too-many-passkeys": gettext_noop("You have too many passkeys. Remove one first."),
    "no-message": gettext_noop("The passkey was not added. Please try again."),
    "not-created": gettext_noop("The passkey was not added. Please try again."),
}


class OwnPasskeys(NamedTuple):
    """The passkeys of the login, and whether the session may add one now."""

    # The mailbox or the phone of the login.
    address: str
    passkeys: list[Passkey]
    can_add: bool


def read_own_passkeys(request: HttpRequest, user: User) -> OwnPasskeys:
    """Return the passkeys for the page of the customer."""
    now = timezone.now()
    can_add = passkeys.has_fresh_proof(user, request.session, now=now)
    return OwnPasskeys(user.address[1], list(passkeys.current_passkeys(user)), can_add)


@require_POST
@never_cache
def options(request: HttpRequest) -> HttpResponse:
    """Return the options to sign in, with a challenge for the session of this browser."""
    session = request.session
    if not request.user.is_authenticated:
        # The session of a visitor ends with its challenge.
        session[_STARTED] = True
        pending_sign_in.keep_for_visitor(session, CHALLENGE_SECONDS)
        session.save()
    try:
        public_key = sign_in_options(request, binding=session.session_key or "")
    except Problem as problem:
        return JsonResponse({}, status=problem.status_code)
    return JsonResponse({"publicKey": public_key})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@content_security.strict
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with the answer of the authenticator, under a new session key."""
    if request.method != "POST":
        return redirect("portal:sign-in")
    next_page = sign_in_forms.next_page(request, ["/"])
    try:
        credential = read_credential(sign_in_forms.field_texts(CredentialForm(request.POST)))
        sign_in_by_passkey(request, credential, binding=request.session.session_key or "")
    except Problem as problem:
        context = {"next": next_page, "passkey_error": error_text(problem)}
        return render(request, "portal/sign_in.html", context, status=problem.status_code)
    return redirect(next_page or "portal:home")


def read_credential(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of an authenticator; empty if the browser sent none that is readable."""
    try:
        credential = json.loads(fields["credential"])
    except (ValueError, RecursionError):
        return {}
    return credential if isinstance(credential, dict) else {}


def error_text(problem: Problem) -> str:
    """Return the text for a problem in the language of the page."""
    return _(ERROR_TEXTS[problem.kind]) if problem.kind in ERROR_TEXTS else problem.text


class NotChanged(Exception):
    """A passkey was not changed. The first argument is the text for the customer."""


def add(request: HttpRequest, user: User, answer: Mapping[str, Any]) -> str:
    """Add a passkey and return the notice for the page. Raises NotChanged."""
    try:
        create_passkey(
            user,
            request.session,
            read_credential(answer),
            binding=request.session.session_key or "",
            name=answer["name"],
        )
    except InvalidCredential:
        raise NotChanged(_(ERROR_TEXTS["not-created"])) from None
    except OldProof:
        raise NotChanged(_(ERROR_TEXTS["old-proof"])) from None
    except TooManyPasskeys:
        raise NotChanged(_(ERROR_TEXTS["too-many-passkeys"])) from None
    except Problem as problem:
        raise NotChanged(error_text(problem)) from None
    return _("The passkey was added. We sent a message about it to your address.")


def rename(request: HttpRequest, user: User, answer: Mapping[str, Any]) -> str:
    """Rename a passkey and return the notice for the page. Raises NotChanged."""
    try:
        passkeys.rename(user, answer["address"] or 0, answer["name"])
    except NoSuchPasskey:
        raise NotChanged(_("This passkey is not there any more.")) from None
    return _("The name is saved.")


def remove(request: HttpRequest, user: User, answer: Mapping[str, Any]) -> str:
    """Remove a passkey and return the notice for the page. Raises NotChanged."""
    try:
        passkeys.remove(user, answer["address"] or 0, current_key=request.session.session_key or "")
    except NoSuchPasskey:
        raise NotChanged(_("This passkey is not there any more.")) from None
    return _("The passkey was removed. Remove it from your device, too.")
