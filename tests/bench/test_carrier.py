"""The carrier of SMS that everything is killed around has to take, tell and fail as ours do."""

import http.server
import threading
import time
from urllib.parse import parse_qsl

import httpx2
import pytest
from twilio.request_validator import RequestValidator

from bench.carrier import Carrier

STATUSES = ["delivered", "sent", "delivered"]


@pytest.fixture
def carrier(tmp_path):
    with Carrier.running(tmp_path / "taken") as running:
        yield running


@pytest.fixture
def callback_server():
    """Run a server that receives delivery reports and refuses the first one."""
    callbacks: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            callbacks.append({**dict(parse_qsl(body)), "": self.headers["X-Twilio-Signature"]})
            self.send_response(503 if len(callbacks) == 1 else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/status?message=m-1", callbacks
        server.shutdown()


def send(carrier, callback):
    _, _, account = carrier.url.partition("//")
    form = {"To": "+31612000000", "Body": "offers 7\nStop? Reply STOP.", "StatusCallback": callback}
    with httpx2.Client(trust_env=False) as client:
        return client.post(
            f"http://127.0.0.1:{carrier.port}/2010-04-01/Accounts/x/Messages.json",
            data=form,
            auth=(account.partition(":")[0], "not-a-secret"),
        )


def set_mode(carrier, command):
    carrier.set_mode(command)
    time.sleep(0.1)


def wait_for_callbacks(carrier):
    deadline = time.monotonic() + 60
    while not carrier.acknowledged_callbacks() and time.monotonic() < deadline:
        time.sleep(0.05)
    return carrier.acknowledged_callbacks()


def test_accepted_message_is_written_to_the_file(carrier, callback_server):
    answer = send(carrier, callback_server[0])

    (message,) = carrier.received()
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert message[1:5] == ("m-1", "+31612000000", "offers", "7")
    assert message.is_acknowledged


def test_status_callbacks_are_signed_and_repeated_until_acknowledged(carrier, callback_server):
    url, callbacks = callback_server
    send(carrier, url)

    assert wait_for_callbacks(carrier) == {"m-1"}
    assert [fields["MessageStatus"] for fields in callbacks] == ["delivered", *STATUSES]
    validator = RequestValidator("not-a-secret")
    fields = {name: value for name, value in callbacks[0].items() if name}
    assert validator.validate(url, fields, callbacks[0][""])


def test_message_taken_before_a_dropped_connection_gets_callbacks(carrier, callback_server):
    set_mode(carrier, "drop")

    with pytest.raises(httpx2.HTTPError):
        send(carrier, callback_server[0])

    assert [message.is_acknowledged for message in carrier.received()] == [False]
    assert wait_for_callbacks(carrier) == {"m-1"}


def test_refused_or_cut_message_is_not_taken(carrier, callback_server):
    set_mode(carrier, "refuse 1")
    assert send(carrier, callback_server[0]).status_code == 429
    set_mode(carrier, "cut 1")
    with pytest.raises(httpx2.HTTPError):
        send(carrier, callback_server[0])

    assert carrier.received() == []
