"""The endpoint to sign in with a code that Butler sends by e-mail."""

import logging
import smtplib
from collections.abc import Callable
from typing import Annotated

import msgspec
from django.conf import settings
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from msgspec import Meta
from rest_framework.request import Request

from customers.actions import sign_in, source_address_changes
from customers.api import schema
from customers.api.base import ApiView, read_body, shape_response
from customers.api.problems import Problem
from customers.api.sessions import network_of, open_app_session, open_session
from customers.models import User

_log = logging.getLogger(__name__)


class CodeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The first request: an address. Butler sends a code to it."""

    email: Annotated[str, Meta(max_length=254)]


class CodeProof(msgspec.Struct, forbid_unknown_fields=True):
    """The second request: `request` from the first response, and the code from the e-mail."""

    request: Annotated[str, Meta(min_length=1, max_length=64)]
    code: Annotated[str, Meta(min_length=1, max_length=20)]


class CodeSent(msgspec.Struct, frozen=True):
    """The response to an address. It does not reveal whether an account exists."""

    request: str
    expires_in: int


class SignedIn(msgspec.Struct, frozen=True):
    """The new session. Send its token in the header X-Session-Token."""

    session_token: str
    user: int


class SignInView(ApiView):
    """Sends a code to an address, and signs the customer in with the code.

    The endpoint ignores Idempotency-Key, because Butler does not store its secret responses.
    """

    authentication_classes = []
    permission_classes = []

    @schema.describe(
        "Sign in: send an address, then the code",
        body=(CodeRequest, CodeProof),
        answer=schema.shape(SignedIn),
        other_responses={
            202: ("Butler sent a code, whether or not an account exists.", schema.shape(CodeSent))
        },
        problems=(429,),
        tags=("signing in",),
        auth=[],
    )
    def post(self, request: Request) -> HttpResponse:
        if "code" in request.data:
            proof = read_body(request, CodeProof)
            user, token = sign_in_by_code(
                request._request,
                handle=proof.request,
                code=proof.code,
                open_session=open_app_session,
            )
            return _uncached(shape_response(SignedIn(token, user.pk)))
        issued = send_code(request, read_body(request, CodeRequest).email)
        return _uncached(
            shape_response(CodeSent(issued.handle, settings.BUTLER_CODE_SECONDS), status=202)
        )


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def send_code(request: Request | HttpRequest, email: str) -> sign_in.IssuedCode:
    """Send a code to an address and return it; raise a Problem if this is not possible."""
    issued = _issue_code(request, email)
    subject = translation.gettext("%(code)s is your code to sign in")
    _send_mail(issued, "customers/sign_in_code.txt", subject)
    return issued


def send_address_code(request: Request | HttpRequest, email: str) -> sign_in.IssuedCode:
    """Send a code to an address that a signed-in customer wants to add; raise a Problem as above.

    The answer is the same whether or not anybody has the address.
    """
    issued = _issue_code(request, email)
    subject = translation.gettext("%(code)s is your code to confirm this address")
    _send_mail(issued, "customers/address_code.txt", subject)
    return issued


def _issue_code(request: Request | HttpRequest, email: str) -> sign_in.IssuedCode:
    http = request._request if isinstance(request, Request) else request
    try:
        return sign_in.issue_code(email=email, network=network_of(http), now=timezone.now())
    except sign_in.InvalidEmail:
        raise Problem(422, "not-an-address", "This is not an e-mail address.") from None
    except sign_in.TooManyCodes as error:
        wait = {"Retry-After": str(error.seconds)}
        words = f"Too many codes were requested. Try again in {error.seconds} seconds."
        raise Problem(429, "too-often", words, headers=wait) from None


def _send_mail(issued: sign_in.IssuedCode, template: str, subject: str) -> None:
    minutes = settings.BUTLER_CODE_SECONDS // 60
    text = render_to_string(template, {"code": issued.code, "minutes": minutes})
    try:
        send_mail(subject % {"code": issued.code}, text, None, [issued.email])
    except (smtplib.SMTPException, OSError):
        _log.exception("the mail server did not accept a sign-in code")
        raise Problem(
            503,
            "no-mail",
            "Butler cannot send e-mail now. Try again in 30 seconds.",
            headers={"Retry-After": "30"},
        ) from None


def sign_in_by_code(
    request: HttpRequest,
    *,
    handle: str,
    code: str,
    open_session: Callable[[HttpRequest, User], str] = open_session,
) -> tuple[User, str]:
    """Sign a customer in with handle and code; return the login and the key of its session.

    Raises a Problem if the code is not valid. If the session cannot be opened, the code stays
    valid.
    """
    session_keys: list[str] = []
    language, now = translation.get_language() or settings.LANGUAGE_CODE, timezone.now()

    def open_proved_session(user: User) -> None:
        """Open the session, and start the changes of addresses that waited for this proof."""
        session_keys.append(open_session(request, user))
        source_address_changes.start_changes(user, language=language, now=now)

    try:
        user = sign_in.verify_code(
            handle=handle,
            code=code,
            language=language,
            now=now,
            open_session=open_proved_session,
        )
    except sign_in.WrongCode:
        raise Problem(
            403, "wrong-code", "This code is wrong, expired or used. Request a new code."
        ) from None
    except sign_in.StaffSignInRequired:
        raise Problem(403, "staff-sign-in", "Staff sign in at /console/.") from None
    return user, session_keys[0]
