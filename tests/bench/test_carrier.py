"""The carrier of SMS that everything is killed around has to take, tell and fail as ours do."""

import http.server
import threading
import time
from urllib.parse import parse_qsl

import httpx2
import pytest
from twilio.request_validator import RequestValidator

from bench.carrier import Carrier

TOLD = ["delivered", "sent", "delivered"]


@pytest.fixture
def carrier(tmp_path):
    with Carrier.running(tmp_path / "taken") as running:
        yield running


@pytest.fixture
def ears():
    """Somebody who hears reports, the first of them badly."""
    heard: list[dict[str, str]] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.append({**dict(parse_qsl(body)), "": self.headers["X-Twilio-Signature"]})
            self.send_response(503 if len(heard) == 1 else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/status?message=m-1", heard
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


def turn(carrier, order):
    carrier.turn(order)
    time.sleep(0.1)


def until_heard(carrier):
    deadline = time.monotonic() + 10
    while not carrier.heard() and time.monotonic() < deadline:
        time.sleep(0.05)
    return carrier.heard()


def test_what_is_handed_over_is_written_down(carrier, ears):
    answer = send(carrier, ears[0])

    (taken,) = carrier.taken()
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert taken[1:5] == ("m-1", "+31612000000", "offers", "7")
    assert taken.is_told


def test_it_tells_signed_and_until_it_was_heard_what_became_of_it(carrier, ears):
    callback, heard = ears
    send(carrier, callback)

    assert until_heard(carrier) == {"m-1"}
    assert [one["MessageStatus"] for one in heard] == ["delivered", *TOLD]
    validator = RequestValidator("not-a-secret")
    fields = {name: value for name, value in heard[0].items() if name}
    assert validator.validate(callback, fields, heard[0][""])


def test_what_was_taken_before_the_line_broke_is_told_as_well(carrier, ears):
    turn(carrier, "drop")

    with pytest.raises(httpx2.HTTPError):
        send(carrier, ears[0])

    assert [taken.is_told for taken in carrier.taken()] == [False]
    assert until_heard(carrier) == {"m-1"}


def test_what_it_refuses_or_cuts_off_it_did_not_take(carrier, ears):
    turn(carrier, "refuse 1")
    assert send(carrier, ears[0]).status_code == 429
    turn(carrier, "cut 1")
    with pytest.raises(httpx2.HTTPError):
        send(carrier, ears[0])

    assert carrier.taken() == []
