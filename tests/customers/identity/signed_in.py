"""A customer who signs in with a code of her address, and reads her record through the wire."""

import re

from django.core import mail

from tests import texts
from tests.customers.identity.company import event_names
from tests.wsgi_client import WsgiClient


class SignedIn:
    """A customer who asked for a code, and entered it."""

    def __init__(self, address: str) -> None:
        client = WsgiClient()
        before = sent_counts()
        sent = _post(client, code_request(address))
        assert sent.status_code == 202, sent.content[:500]
        request, code = sent.json()["request"], new_code(before)
        answer = _post(client, {"request": request, "code": code})
        assert answer.status_code == 200, answer.content[:500]
        self.token: str = answer.json()["session_token"]
        self._client = WsgiClient(headers={"X-Session-Token": self.token})

    def timeline(self) -> list[str]:
        """Return the names of the events, as `event_names` does."""
        return event_names(self._read("timeline/")["results"])

    def orders(self) -> list[str]:
        """Return the numbers of the orders, in alphabetical order."""
        return sorted(order["number"] for order in self._read("orders/")["results"])

    def identifiers(self) -> set[str]:
        """Return the kinds and values of the identifiers."""
        return {f"{row['kind']} {row['value']}" for row in self._read("")["identifiers"]}

    def post(self, path: str, body: object = None, **headers: str):
        """Post a body, by default an empty one, to a path under /api/me/; return the response."""
        return self._client.post(
            f"/api/me/{path}", body or {}, content_type="application/json", headers=headers
        )

    def get(self, path: str, **headers: str):
        """Return the response to a GET of a path under /api/me/."""
        return self._client.get(f"/api/me/{path}", headers=headers)

    def _read(self, path: str):
        response = self.get(path)
        assert response.status_code == 200, response.content[:500]
        return response.json()


def code_request(address: str) -> dict[str, str]:
    """Return the body of a request for a code to a mailbox or a phone."""
    return {"email" if "@" in address else "phone": address}


def sent_counts() -> tuple[int, int]:
    """Return the numbers of mails and texts that were sent."""
    return len(mail.outbox), len(texts.sent)


def new_code(before: tuple[int, int]) -> str:
    """Return the code of the only mail or text that was sent since these counts."""
    [body] = [
        *(message.body for message in mail.outbox[before[0] :]),
        *(text.body for text in texts.sent[before[1] :]),
    ]
    return re.search(r"\b\d{6}\b", body)[0]


def _post(client: WsgiClient, body: dict[str, str]):
    return client.post("/api/sign-in/", body, content_type="application/json")
