"""Butler sends no request to an address in its input.

It connects only to hosts of the settings: the relay, the SMS provider, Postgres and Valkey.
"""

import json
import socket
import threading
from urllib.parse import quote

import pytest

from butler.messages.render import render
from butler.messages.templating import InvalidTemplate, MissingValues
from tests import factories
from tests.butler.messages.test_render import CONTEXT, LINKS, document
from tests.channels.wire_client import send, source, track
from tests.config.test_access import TABLE as API
from tests.config.test_access import _body
from tests.security import test_routes as routes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Where standards let a caller name whom to call back, and where frameworks look.
HEADERS = [
    "Origin",
    "Referer",
    "WebHook-Request-Origin",
    "WebHook-Request-Callback",
    "ce-source",
    "ce-dataschema",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Original-URL",
    "X-Rewrite-URL",
    "Destination",
    "Link",
    "Callback",
]


class ConnectionCounter:
    """An address at which counter is to be called; counts who does all the same."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/latest/meta-data/"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def counter():
    counter = ConnectionCounter()
    yield counter
    counter.close()


def test_call_counter_counts_connections(counter):
    port = int(counter.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as call:
        call.recv(1)

    assert counter.calls == 1


def test_no_incoming_request_makes_butler_connect_out(running, counter):
    noor = factories.customer(("email", "noor@example.com"))
    _, key = source(is_secret=True)
    shown = dict.fromkeys(HEADERS, counter.url)
    addresses = dict.fromkeys(
        [
            "url",
            "href",
            "callback_url",
            "avatar",
            "picture",
            "image",
            "SubscribeURL",
            "$schema",
            "$ref",
        ],
        counter.url,
    )
    addresses |= {"Type": "SubscriptionConfirmation", "TopicArn": counter.url, "Token": counter.url}
    event = track(
        properties=addresses, traits=addresses, context={"page": addresses}, integrations=addresses
    )
    cloud = {"specversion": "1.0", "id": "1", "type": "x", "source": counter.url, "data": addresses}
    cloud |= {"dataschema": counter.url, "dataref": counter.url}
    called = quote(counter.url, safe="")
    sent = [
        *(
            (f"/v1/{endpoint}", event)
            for endpoint in ("track", "identify", "page", "group", "alias")
        ),
        ("/v1/batch", {"batch": [event], "context": addresses}),
        ("/v1/events", cloud),
        *(
            (f"/v1/{endpoint}", addresses)
            for endpoint in ("phone/calls", "store/scans", "email/reports")
        ),
        *(
            (f"/v1/{endpoint}?url={called}", addresses)
            for endpoint in ("webhooks/x", "sms/inbound")
        ),
        (f"/v1/phone/twilio/x?dial={called}", addresses),
        (f"/sign-in/?next={called}", addresses),
    ]
    for operation in API:
        method, route = operation.split(" ", 1)
        path = routes._path(route).replace(routes.FILLED["uuid"], str(noor.pk))
        if method == "POST":
            body = dict.fromkeys(_body(route), counter.url) | addresses
            sent.append((f"{path}?callback={called}", body))
    for path, body in sent:
        answer = send(running.web, path, json.dumps(body).encode(), shown, key=key)
        assert answer.status < 500, path
        send(running.web, path, None, shown | {"Host": "localhost"}, method="OPTIONS", key=key)

    assert counter.calls == 0


def test_no_text_of_an_automation_makes_butler_connect_out(counter):
    pictures = f'<mj-image src="{counter.url}" href="{counter.url}" />'
    whole = "<mjml><mj-head>{}</mj-head><mj-body><mj-section><mj-column>{}</mj-column></mj-section>"
    heads = (
        f'<mj-font name="x" href="{counter.url}" />',
        f'<mj-include path="{counter.url}" />',
        f'<mj-style>@import "{counter.url}";</mj-style>',
        f'<mj-attributes><mj-all background-url="{counter.url}" /></mj-attributes>',
    )
    written = [
        {"mjml": whole.format(head, pictures) + "</mj-body></mjml>"} for head in ("", *heads)
    ]
    written += [{"text": f"{{% include '{counter.url}' %}}"}, {"text": counter.url}]
    written += [{"action": "Go", "path": counter.url}, {"subject": counter.url}]
    rendered = 0
    for fields in written:
        automation = document(**fields)
        context = {**CONTEXT, "customer": {**CONTEXT["customer"], "first_name": counter.url}}
        try:
            rendered += bool(render(automation, "1.then.0", "email", context, LINKS, "en").html)
        except (InvalidTemplate, MissingValues):
            continue

    assert rendered >= 3
    assert counter.calls == 0
