"""The endpoints to sign in with a passkey. They look the same whether or not a passkey exists."""

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.proof_times import note_passkey
from customers.access.webauthn import CHALLENGE_SECONDS, InvalidCredential
from customers.actions import passkeys
from customers.actions.attempt_limits import (
    WINDOW,
    AttemptLimit,
    TooManyAttempts,
    count_attempt,
    refuse_at_limit,
)
from customers.api import schema
from customers.api.base import ApiView, read_body, shape_response
from customers.api.passkeys import MAX_CREDENTIAL_BYTES, invalid_passkey
from customers.api.problems import Problem
from customers.api.rate_limits import used_up
from customers.api.sessions import network_of, open_app_session, open_session
from customers.api.sign_in import SignedIn
from customers.models import User

# Challenges and wrong answers of one network in 15 minutes. Many customers may share its address.
_CHALLENGES = AttemptLimit("passkey challenge", 600)
_WRONG_ANSWERS = AttemptLimit("passkey answer", 60)


class PasskeySignInOptions(msgspec.Struct, frozen=True, rename={"public_key": "publicKey"}):
    """The options for `navigator.credentials.get()`, in the JSON form of WebAuthn.

    `request` goes back with the answer. The options name no passkey and no login.
    """

    request: str
    expires_in: int
    public_key: Annotated[
        dict[str, Any],
        Meta(
            examples=[
                {
                    "challenge": "DvWPqmFLkZl8mNHK_1b5Xk3dJ9oTq7gYh2sVc0aUeRw",
                    "rpId": "butler.example.com",
                    "userVerification": "required",
                    "timeout": 300000,
                }
            ]
        ),
    ]


class NoFields(msgspec.Struct):
    """A body without fields that count. It is read, so that a huge one is refused."""


class PasskeyProof(msgspec.Struct, forbid_unknown_fields=True):
    """`request` of the options, and the answer of the authenticator in the JSON form of WebAuthn."""

    request: Annotated[str, Meta(min_length=1, max_length=64)]
    credential: Annotated[
        dict[str, Any],
        Meta(
            examples=[
                {
                    "id": "OXXL4EHY2sJR4chAnG4IgA",
                    "rawId": "OXXL4EHY2sJR4chAnG4IgA",
                    "type": "public-key",
                    "clientExtensionResults": {},
                    "response": {
                        "clientDataJSON": "eyJ0eXBlIjoi…",
                        "authenticatorData": "SZYN5YgO…",
                        "signature": "MEUCIQDx…",
                        "userHandle": "uWxGtnuj…",
                    },
                }
            ]
        ),
    ]


class PasskeySignInOptionsView(ApiView):
    """The options to sign in, with a challenge that counts once."""

    authentication_classes = []
    permission_classes = []

    @schema.describe(
        "Sign in with a passkey: get the options for the authenticator",
        answer=schema.shape(PasskeySignInOptions),
        problems=(429,),
        tags=("signing in",),
        auth=[],
    )
    def post(self, request: Request) -> HttpResponse:
        read_body(request, NoFields)
        handle = secrets.token_urlsafe(24)
        options = sign_in_options(request._request, binding=handle)
        return _uncached(shape_response(PasskeySignInOptions(handle, CHALLENGE_SECONDS, options)))


class PasskeySignInView(ApiView):
    """Signs a customer in with the answer of an authenticator."""

    authentication_classes = []
    permission_classes = []

    @schema.describe(
        "Sign in with a passkey: send what the authenticator answered",
        body=PasskeyProof,
        answer=schema.shape(SignedIn),
        problems=(429,),
        tags=("signing in",),
        auth=[],
    )
    def post(self, request: Request) -> HttpResponse:
        proof = read_body(request, PasskeyProof)
        user, token = sign_in_by_passkey(
            request._request,
            proof.credential,
            binding=proof.request,
            open_session=open_app_session,
        )
        return _uncached(shape_response(SignedIn(token, user.pk)))


def sign_in_options(request: HttpRequest, *, binding: str) -> dict[str, Any]:
    """Return the options to sign in; raise a Problem after too many of them."""
    now = timezone.now()
    try:
        count_attempt(_CHALLENGES, network_of(request), now)
    except TooManyAttempts as error:
        raise _too_often(error) from None
    return passkeys.sign_in_options(binding, now=now)


def sign_in_by_passkey(
    request: HttpRequest,
    credential: Mapping[str, Any],
    *,
    binding: str,
    open_session: Callable[..., str] = open_session,
) -> tuple[User, str]:
    """Sign a customer in with a passkey; return the login and the key of its session.

    Raises a Problem if the passkey opens nothing, without telling why.
    """
    now, network = timezone.now(), network_of(request)
    session_keys: list[str] = []

    def open_proved_session(user: User, passkey_id: int) -> None:
        note_proof = partial(note_passkey, passkey_id=passkey_id)
        session_keys.append(open_session(request, user, note_proof=note_proof))

    try:
        refuse_at_limit(_WRONG_ANSWERS, network, now)
        if len(msgspec.json.encode(credential)) > MAX_CREDENTIAL_BYTES:
            raise InvalidCredential
        user = passkeys.sign_in(
            credential, binding=binding, now=now, open_session=open_proved_session
        )
    except InvalidCredential:
        _count_wrong_answer(network)
        raise invalid_passkey() from None
    except TooManyAttempts as error:
        raise _too_often(error) from None
    return user, session_keys[0]


def _count_wrong_answer(network: str) -> None:
    try:
        count_attempt(_WRONG_ANSWERS, network, timezone.now())
    except TooManyAttempts as error:
        raise _too_often(error) from None


def _too_often(error: TooManyAttempts) -> Problem:
    words = f"Too many attempts. Try again in {error.seconds} seconds."
    headers = used_up("attempts", limit=error.tries, window=WINDOW, seconds=error.seconds)
    return Problem(429, "too-often", words, headers=headers)


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
