"""An app whose customers are signed in: its events have a publishable key and a customer token."""

import uuid
from typing import Any

from django.http import HttpResponse

from customers.actions.sources import add_key
from tests.customers.identity.company import WireSource
from tests.identity_tokens import identity_secret, sign
from tests.wsgi_client import WsgiClient


class SignedInApp:
    """A source with a publishable key, and with a secret key and an identity secret of its server."""

    def __init__(self, name: str = "App", channel: str = "app", **fields: Any) -> None:
        self.server = WireSource(name, channel, **{"ids": "app"} | fields)
        self.source = self.server.source
        self.key = add_key(source=self.source, is_secret=False)
        self.secret = identity_secret(self.source)

    def token(self, number: str, **claims: Any) -> str:
        """Return an identity token that names an account of the app."""
        return sign(self.source, self.secret, number, **claims)

    def account(self, number: str) -> tuple[str, str]:
        return self.server.account(number)

    def post(
        self,
        *events: dict[str, Any],
        path: str = "/v1/batch",
        headers: dict[str, str] | None = None,
        client: WsgiClient | None = None,
        **envelope: Any,
    ) -> HttpResponse:
        """Send events with the publishable key, and return the answer."""
        body = {"batch": events} | envelope if path == "/v1/batch" else events[0]
        response = (client or WsgiClient()).post(
            path,
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"} | (headers or {}),
        )
        assert response.status_code == 200, response.content[:500]
        return response


def click(token: object = None, **fields: Any) -> dict[str, Any]:
    """Return an event of a browser, by default without a customer token."""
    event = {
        "type": "track",
        "event": "Map Opened",
        "messageId": str(uuid.uuid4()),
        "anonymousId": "browser-1",
    } | fields
    return event | {"context": {"identityToken": token}} if token is not None else event
