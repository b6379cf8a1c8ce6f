"""A signed-in customer who changes the own addresses through the API."""

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.utils import timezone

from customers.access.proof_times import PROOF_TIMES, SIGNED_IN_AT
from customers.actions import address_changes
from customers.models import Suppression
from tests.customers.identity.signed_in import SignedIn, code_request, new_code, sent_counts
from tests.wsgi_client import WsgiClient


class AddressApp(SignedIn):
    """The app of a customer who signed in with a code of one mailbox."""

    def request(self, method: str, path: str, body: object = None):
        """Send a request about addresses, and return the answer."""
        client = WsgiClient(headers={"X-Session-Token": self.token})
        arguments = {} if body is None else {"content_type": "application/json"}
        send = getattr(client, method)
        return send(f"/api/me/addresses/{path}", *([] if body is None else [body]), **arguments)

    def ask(self, address: str, *, replaces: str = "") -> tuple[str, str]:
        """Ask for a code to an address; return its handle and the code from the mail or SMS."""
        before = sent_counts()
        body: dict[str, object] = {**code_request(address)}
        if replaces:
            body["replaces"] = self.address_id(replaces)
        answer = self.request("post", "", body)
        assert answer.status_code == 202, answer.content[:500]
        return answer.json()["request"], new_code(before)

    def enter(self, handle: str, code: str):
        """Enter a code, and return the answer."""
        return self.request("post", "confirm/", {"request": handle, "code": code})

    def add(self, address: str, *, replaces: str = "") -> dict:
        """Add and confirm an address; return what became of it."""
        answer = self.enter(*self.ask(address, replaces=replaces))
        assert answer.status_code == 200, answer.content[:500]
        return answer.json()

    def remove(self, address: str):
        return self.request("delete", f"{self.address_id(address)}/")

    def prefer(self, address: str):
        return self.request("post", f"{self.address_id(address)}/prefer/", {})

    def listed(self) -> dict:
        answer = self.request("get", "")
        assert answer.status_code == 200, answer.content[:500]
        return answer.json()

    def states(self, kind: str = "email") -> dict[str, str]:
        """Return the state of each address of a kind."""
        return {
            address["value"]: address["state"]
            for address in self.listed()["addresses"]
            if address["kind"] == kind
        }

    def address_id(self, address: str) -> int:
        by_value = {row["value"]: row["id"] for row in self.listed()["addresses"]}
        return by_value[address]

    def preferred(self) -> list[str]:
        """Return the preferred mailbox."""
        rows = self.listed()["addresses"]
        return [row["value"] for row in rows if row["is_preferred"] and row["kind"] == "email"]

    def email(self) -> str:
        """Return the trait `email` of the own record."""
        return self._read("")["traits"]["email"]["value"]

    def age(self, minutes: float = 60) -> None:
        """Let everything that the session proved be some minutes older."""
        session = import_module(settings.SESSION_ENGINE).SessionStore(self.token)
        session[SIGNED_IN_AT] -= minutes * 60
        times = session.get(PROOF_TIMES, {})
        session[PROOF_TIMES] = {id_: time - minutes * 60 for id_, time in times.items()}
        session.save()

    def is_open(self) -> bool:
        """Tell whether the session still works."""
        client = WsgiClient(headers={"X-Session-Token": self.token})
        return client.get("/api/me/sessions/").status_code == 200


def advance(hours: float) -> None:
    """Advance the changes that wait, as the job does some hours later."""
    now = timezone.now() + timedelta(hours=hours)
    while address_changes.advance_next(now=now):
        pass


def suppressed(address: str, reason: str) -> None:
    """Store that mail to an address bounced or was complained about."""
    Suppression.objects.create(
        channel="email", address=address, reason=reason, since=timezone.now()
    )
