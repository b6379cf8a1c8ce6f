"""The passkeys of the signed-in customer: list, create, rename, remove."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404, HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from customers.access.permissions import Right
from customers.access.webauthn import CHALLENGE_SECONDS, InvalidCredential
from customers.actions import passkeys
from customers.actions.code_messages import MessageNotSent
from customers.actions.passkeys import NoSuchPasskey, OldProof, TooManyPasskeys
from customers.api import schema
from customers.api.base import page_response, read_body, shape_response
from customers.api.own_login import OwnLoginView
from customers.api.problems import Problem
from customers.api.sessions import current_session
from customers.models import Passkey, User
from customers.queries.pages import Page

_TAGS = ("signing in",)
_AUTH = ["token", "cookie"]
# More than any authenticator sends.
MAX_CREDENTIAL_BYTES = 16_384

type Credential = Annotated[
    dict[str, Any],
    Meta(
        description="The JSON of the credential, as `PublicKeyCredential.toJSON()` returns it",
        examples=[
            {
                "id": "OXXL4EHY2sJR4chAnG4IgA",
                "rawId": "OXXL4EHY2sJR4chAnG4IgA",
                "type": "public-key",
                "clientExtensionResults": {},
                "response": {"clientDataJSON": "eyJ0eXBlIjoi…", "attestationObject": "o2NmbXRk…"},
            }
        ],
    ),
]
type PasskeyName = Annotated[str, Meta(max_length=200, examples=["My phone"])]


class PasskeyShape(msgspec.Struct, frozen=True):
    """A passkey. `is_synced`: the authenticator may copy it to other devices of the customer."""

    id: int
    name: str
    is_synced: bool
    created_at: datetime
    last_used_at: datetime | None


class PasskeyOptions(msgspec.Struct, frozen=True, rename={"public_key": "publicKey"}):
    """The options for `navigator.credentials.create()`, in the JSON form of WebAuthn."""

    expires_in: int
    public_key: Annotated[
        dict[str, Any],
        Meta(
            examples=[
                {
                    "rp": {"id": "butler.example.com", "name": "Larkmoor"},
                    "user": {
                        "id": "uWxGtnujsUuMJxRJ-vSucAx0FV3erZYKdY2IDa9uV1g",
                        "name": "noor@example.com",
                        "displayName": "noor@example.com",
                    },
                    "challenge": "DvWPqmFLkZl8mNHK_1b5Xk3dJ9oTq7gYh2sVc0aUeRw",
                    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
                    "excludeCredentials": [],
                    "authenticatorSelection": {
                        "residentKey": "required",
                        "requireResidentKey": True,
                        "userVerification": "required",
                    },
                    "attestation": "none",
                    "timeout": 300000,
                }
            ]
        ),
    ]


class NewPasskey(msgspec.Struct, forbid_unknown_fields=True):
    """The passkey that the authenticator created, in the JSON form of WebAuthn."""

    credential: Credential
    name: PasskeyName = ""


class PasskeyRename(msgspec.Struct, forbid_unknown_fields=True):
    """Another name for a passkey."""

    name: PasskeyName


def invalid_passkey() -> Problem:
    """Return the problem of an answer that proves no passkey. It does not tell why."""
    return Problem(
        403, "invalid-passkey", "This passkey opens nothing here. Sign in with a code instead."
    )


PROBLEMS: dict[type[Exception], Callable[[Any], Exception]] = {
    InvalidCredential: lambda error: invalid_passkey(),
    OldProof: lambda error: Problem(
        403, "old-proof", "Confirm the address of this sign-in with a code first."
    ),
    TooManyPasskeys: lambda error: Problem(
        409, "too-many-passkeys", "This sign-in has too many passkeys. Remove one first."
    ),
    NoSuchPasskey: lambda error: Http404(),
}


class _PasskeyView(OwnLoginView):
    """An endpoint about the passkeys of a login. Keys, accounts and staff have none."""

    problems = PROBLEMS


class PasskeysView(_PasskeyView):
    """The passkeys of the login."""

    rights: ClassVar = {"GET": Right.OWN_LOGIN, "POST": Right.OWN_LOGIN}

    @schema.describe(
        "List your passkeys", answer=schema.pages_of(PasskeyShape), tags=_TAGS, auth=_AUTH
    )
    def get(self, request: Request) -> HttpResponse:
        user, _ = self.session(request)
        return page_response(
            request, Page([_passkey_shape(passkey) for passkey in passkeys.current_passkeys(user)])
        )

    @schema.describe(
        "Create a passkey: send what the authenticator answered to the options",
        body=NewPasskey,
        answer=schema.shape(PasskeyShape),
        status=201,
        location="{id}/",
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request) -> HttpResponse:
        user, session = self.session(request)
        new = read_body(request, NewPasskey)
        passkey = create_passkey(
            user, session, new.credential, binding=current_session(request), name=new.name
        )
        return shape_response(_passkey_shape(passkey), status=201)


class PasskeyOptionsView(_PasskeyView):
    """The options to create a passkey, with a challenge for this session."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Create a passkey: get the options for the authenticator",
        answer=schema.shape(PasskeyOptions),
        problems=(409,),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request) -> HttpResponse:
        user, session = self.session(request)
        options = passkeys.creation_options(
            user, session, binding=current_session(request), now=timezone.now()
        )
        response = shape_response(PasskeyOptions(CHALLENGE_SECONDS, options))
        response["Cache-Control"] = "no-store"
        return response


class PasskeyView(_PasskeyView):
    """One passkey of the login."""

    rights: ClassVar = {"PATCH": Right.OWN_LOGIN, "DELETE": Right.OWN_LOGIN}

    @schema.describe(
        "Rename a passkey",
        body=PasskeyRename,
        answer=schema.shape(PasskeyShape),
        tags=_TAGS,
        auth=_AUTH,
    )
    def patch(self, request: Request, passkey_id: int) -> HttpResponse:
        user, _ = self.session(request)
        passkey = passkeys.rename(user, passkey_id, read_body(request, PasskeyRename).name)
        return shape_response(_passkey_shape(passkey))

    @schema.describe("Remove a passkey", status=204, tags=_TAGS, auth=_AUTH)
    def delete(self, request: Request, passkey_id: int) -> HttpResponse:
        user, _ = self.session(request)
        passkeys.remove(user, passkey_id, current_key=current_session(request))
        return HttpResponse(status=204)


def create_passkey(
    user: User,
    session: SessionBase,
    credential: Mapping[str, Any],
    *,
    binding: str,
    name: str,
) -> Passkey:
    """Store a passkey; raise a Problem if the notice about it is not possible."""
    if len(msgspec.json.encode(credential)) > MAX_CREDENTIAL_BYTES:
        raise InvalidCredential
    try:
        return passkeys.create(
            user, session, credential, binding=binding, name=name, now=timezone.now()
        )
    except MessageNotSent:
        raise Problem(
            503,
            "no-message",
            "Butler cannot send the notice about the passkey now. Try again in 30 seconds.",
            headers={"Retry-After": "30"},
        ) from None


def _passkey_shape(passkey: Passkey) -> PasskeyShape:
    return PasskeyShape(
        id=passkey.pk,
        name=passkey.name,
        is_synced=passkey.is_synced,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )
