"""The endpoint to sign in with a code that Butler sends by e-mail or SMS."""

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from msgspec import Meta
from rest_framework.request import Request

from customers.actions import code_messages, sign_in, sign_in_codes, source_address_changes
from customers.actions.sign_in_codes import IssuedCode
from customers.api import schema
from customers.api.base import ApiView, read_body, shape_response
from customers.api.problems import Problem
from customers.api.rate_limits import used_up
from customers.api.sessions import network_of, open_app_session, open_session
from customers.identity.code_numbers import NoCodeNumber
from customers.models import User

# The characters of mailboxes that no phone number has, also as people type them in other scripts.
_AT_SIGNS = frozenset("@\uff20\ufe6b")


class CodeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The first request: a mailbox. Butler sends a code to it."""

    email: Annotated[str, Meta(max_length=254)]


class TextCodeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The first request: a mobile number. Butler sends a code to it by SMS."""

    phone: Annotated[str, Meta(max_length=254)]


class CodeProof(msgspec.Struct, forbid_unknown_fields=True):
    """The second request: `request` from the first response, and the code from the message."""

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
        body=(CodeRequest, TextCodeRequest, CodeProof),
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
        issued = send_code(request, *read_address(request))
        return _uncached(
            shape_response(CodeSent(issued.handle, settings.BUTLER_CODE_SECONDS), status=202)
        )


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def read_address(request: Request) -> tuple[str, str]:
    """Return the kind of the address in the body of a request for a code, and its text."""
    if "phone" in request.data:
        return "phone", read_body(request, TextCodeRequest).phone
    return "email", read_body(request, CodeRequest).email


def address_of(text: str) -> tuple[str, str]:
    """Return the kind of the address that a customer typed, and the text."""
    is_number = code_messages.sends_texts() and _AT_SIGNS.isdisjoint(text)
    return ("phone" if is_number else "email"), text


def send_code(request: Request | HttpRequest, kind: str, address: str) -> IssuedCode:
    """Send a code to a mailbox or a phone and return it; raise a Problem if this is not possible.

    The answer is the same whether or not anybody has the address.
    """
    return _send(request, kind, address, code_messages.SIGN_IN)


def send_address_code(request: Request | HttpRequest, kind: str, address: str) -> IssuedCode:
    """Send a code to an address that a signed-in customer wants to add; raise a Problem as above."""
    return _send(request, kind, address, code_messages.CONFIRM)


def _send(
    request: Request | HttpRequest, kind: str, address: str, texts: code_messages.CodeTexts
) -> IssuedCode:
    try:
        issued = _issue_code(request, kind, address)
        code_messages.send(issued, texts)
    except sign_in_codes.InvalidAddress:
        raise Problem(422, *_INVALID_ADDRESSES[kind]) from None
    except NoCodeNumber:
        raise Problem(422, "no-code-number", _NO_CODE_NUMBER) from None
    except code_messages.MessageNotSent:
        problem = "no-text" if kind == "phone" else "no-mail"
        words = f"Butler cannot send {_MESSAGES[kind]} now. Try again in 30 seconds."
        raise Problem(503, problem, words, headers={"Retry-After": "30"}) from None
    except sign_in_codes.TooManyCodes as error:
        headers = used_up("codes", limit=error.limit, window=error.period, seconds=error.seconds)
        words = f"Too many codes were requested. Try again in {error.seconds} seconds."
        raise Problem(429, "too-often", words, headers=headers) from None
    return issued


_MESSAGES = {"email": "e-mail", "phone": "SMS"}
_INVALID_ADDRESSES = {
    "email": ("not-an-address", "This is not an e-mail address."),
    "phone": ("not-a-number", "This is not a phone number."),
}
_NO_CODE_NUMBER = "Butler sends no codes to this number. Use a mobile number or an e-mail address."


def _issue_code(request: Request | HttpRequest, kind: str, address: str) -> IssuedCode:
    http = request._request if isinstance(request, Request) else request
    network, now = network_of(http), timezone.now()
    if kind == "email":
        return sign_in_codes.issue_code(email=address, network=network, now=now)
    if not code_messages.sends_texts():
        raise NoCodeNumber
    return sign_in_codes.issue_text_code(phone=address, network=network, now=now)


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


def sign_in_by_codes(request: HttpRequest, *, handles: Sequence[str], code: str) -> None:
    """Sign a customer in with a code that came for one of these handles, as `sign_in_by_code` does.

    A mail may come late, after the customer asked for another code. A wrong code counts for each.
    """
    *others, last = handles
    for handle in others:
        try:
            sign_in_by_code(request, handle=handle, code=code)
        except Problem as problem:
            if problem.kind != "wrong-code":
                raise
        else:
            return
    sign_in_by_code(request, handle=last, code=code)
