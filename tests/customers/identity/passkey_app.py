"""The app of a customer who signs in with a passkey."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.utils import timezone
from fido2.utils import websafe_encode

from customers.access import webauthn
from customers.access.proof_times import PASSKEY_AT
from customers.models import Identifier, User
from tests.authenticator import Authenticator
from tests.customers.identity.address_app import AddressApp
from tests.wsgi_client import WsgiClient


class PasskeyApp(AddressApp):
    """The app of a customer who signed in with a code, and may create passkeys."""

    def passkey_request(self, method: str, path: str = "", body: object = None):
        """Send a request about passkeys, and return the answer."""
        client = WsgiClient(headers={"X-Session-Token": self.token})
        arguments = {} if body is None else {"content_type": "application/json"}
        send = getattr(client, method)
        return send(f"/api/me/passkeys/{path}", *([] if body is None else [body]), **arguments)

    def creation_options(self) -> dict[str, Any]:
        answer = self.passkey_request("post", "options/", {})
        assert answer.status_code == 200, answer.content[:500]
        return answer.json()["publicKey"]

    def offer(self, credential: dict[str, Any], name: str = "My phone"):
        """Send what an authenticator created, and return the answer."""
        return self.passkey_request("post", "", {"credential": credential, "name": name})

    def create_passkey(self, **device: Any) -> Authenticator:
        """Create a passkey on a new device, and return the device."""
        authenticator = Authenticator(**device)
        answer = self.offer(authenticator.create(self.creation_options()))
        assert answer.status_code == 201, answer.content[:500]
        assert answer["Location"] == f"/api/me/passkeys/{answer.json()['id']}/"
        return authenticator

    def passkeys(self) -> list[dict[str, Any]]:
        answer = self.passkey_request("get")
        assert answer.status_code == 200, answer.content[:500]
        return answer.json()["results"]

    def age_passkey(self, minutes: float = 60) -> None:
        """Let the sign-in with a passkey be some minutes older."""
        session = import_module(settings.SESSION_ENGINE).SessionStore(self.token)
        session[PASSKEY_AT] -= minutes * 60
        session.save()


class PasskeySession(PasskeyApp):
    """The app of a customer who signed in with a passkey."""

    def __init__(self, authenticator: Authenticator) -> None:
        answer = sign_in(authenticator)
        assert answer.status_code == 200, answer.content[:500]
        self.token = answer.json()["session_token"]
        self._client = WsgiClient(headers={"X-Session-Token": self.token})


def sign_in_options() -> dict[str, Any]:
    """Return the options to sign in, with their handle."""
    answer = send("options/", {})
    assert answer.status_code == 200, answer.content[:500]
    return answer.json()


def sign_in(authenticator: Authenticator):
    """Sign in with a device, and return the answer."""
    options = sign_in_options()
    credential = authenticator.sign(options["publicKey"])
    return send("", {"request": options["request"], "credential": credential})


def send(path: str, body: object):
    """Send a request of somebody who is not signed in."""
    return WsgiClient().post(f"/api/sign-in/passkey/{path}", body, content_type="application/json")


def is_refused(answer) -> bool:
    """Tell whether a sign-in was refused, in the words that are the same for every reason."""
    problem = answer.json()
    return (answer.status_code, problem["type"], problem["detail"]) == (
        403,
        "urn:butler:problem:invalid-passkey",
        "This passkey opens nothing here. Sign in with a code instead.",
    )


def stored_fields(device: Authenticator, user: User, **fields: object) -> dict:
    """Return the fields of a stored passkey of this device."""
    challenge = websafe_encode(b"c" * 32)
    handle = bytes(user.passkey_handle or device.user_handle)
    options = {"user": {"id": websafe_encode(handle)}, "rp": {"id": "localhost"}}
    created = webauthn.verify_creation(device.create({**options, "challenge": challenge}))
    User.objects.filter(pk=user.pk).update(passkey_handle=handle)
    return {
        "user": user,
        "address": Identifier.objects.filter(kind="email", value=user.email, evidence=2)
        .order_by("period")
        .first(),
        "name": "Trap",
        "created_at": timezone.now(),
        **created._asdict(),
        **fields,
    }
