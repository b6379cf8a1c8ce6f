"""Mail through one of Django's mailers: the outbox, and providers through anymail."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bench.ports import free_port
from channels import dev_outbox
from channels.email.adapter import EmailAdapter
from channels.protocol import ChannelMessage, DeliveryResult

ADDRESS = "noor@example.com"


@pytest.fixture(autouse=True)
def _sender_address(settings):
    settings.DEFAULT_FROM_EMAIL = "Larkmoor <hello@larkmoor.example>"
    settings.BOUNCE_ADDRESS = "bounce@larkmoor.example"


def parcel() -> ChannelMessage:
    words = ("Your visit", "See you on Sunday.", "<p>See you</p>", "service", "visits")
    return ChannelMessage(
        uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), ADDRESS, "en", *words, "https://x/u/t/"
    )


class _Postmark(BaseHTTPRequestHandler):
    """A handler that answers like the provider, or with the response of the test."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(json.loads(body))
        status, payload = self.server.response
        if status == 0:
            return
        if callable(payload):
            payload = payload(json.loads(body))
        answer = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        if status == 429:
            self.send_header("Retry-After", "11")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        """Log no requests."""


def _accepted(body) -> object:
    acceptance = {"To": ADDRESS, "MessageID": "pm-1", "ErrorCode": 0, "Message": "OK"}
    return [acceptance for _ in body] if isinstance(body, list) else acceptance


@pytest.fixture
def provider(settings):
    server = HTTPServer(("127.0.0.1", 0), _Postmark)
    server.requests, server.response = [], (200, _accepted)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    _use(settings, server.server_port)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _use(settings, port: int) -> None:
    options = {"server_token": "invented", "api_url": f"http://127.0.0.1:{port}/"}
    backend = "anymail.backends.postmark.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}


def hand_over(count: int = 1) -> list[DeliveryResult]:
    return list(EmailAdapter().send([parcel() for _ in range(count)], lambda: True))


def test_a_provider_takes_a_letter_with_all_that_belongs_to_it(provider):
    [outcome] = hand_over()

    assert (outcome.outcome, outcome.provider_id) == ("accepted", "pm-1")
    headers = {header["Name"]: header["Value"] for header in provider.requests[0]["Headers"]}
    assert headers["List-Unsubscribe"] == "<https://x/u/t/>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert EmailAdapter().provider == "postmark"


@pytest.mark.parametrize(
    ("status", "payload", "expected"),
    [
        (429, {"ErrorCode": 429, "Message": "slow down"}, "transient"),
        (401, {"ErrorCode": 10, "Message": "bad token"}, "transient"),
        (500, {"ErrorCode": 500, "Message": f"broken for {ADDRESS}"}, "uncertain"),
        (200, {"odd": True}, "uncertain"),
        (0, None, "uncertain"),
    ],
    ids=["busy", "wrong-key", "broken", "odd", "no-answer"],
)
def test_a_provider_s_failure_is_the_outcome_it_is(provider, status, payload, expected):
    provider.response = (status, payload)

    outcomes = hand_over(2)

    assert [outcome.outcome for outcome in outcomes] == [expected, expected]
    assert all(
        outcome.code and ADDRESS not in outcome.code + outcome.detail for outcome in outcomes
    )
    assert outcomes[0].retry_after == (11.0 if status == 429 else None)


def test_recipient_refused_by_the_provider_is_rejected(provider):
    problem = "You tried to send to a recipient that has been marked as inactive."
    why = "Inactive recipients are ones that have generated a hard bounce."
    provider.response = (
        422,
        {"ErrorCode": 406, "Message": f"{problem} Found inactive addresses: {ADDRESS}. {why}"},
    )

    assert [outcome.outcome for outcome in hand_over()] == ["rejected"]


def test_unclear_answer_of_a_provider_is_uncertain(provider):
    provider.response = (422, {"ErrorCode": 406, "Message": "Something about somebody."})

    assert [outcome.outcome for outcome in hand_over()] == ["uncertain"]


def test_a_provider_that_is_not_there_has_nothing(settings):
    _use(settings, free_port())

    assert [outcome.outcome for outcome in hand_over(2)] == ["transient", "transient"]


def test_the_outbox_takes_everything(settings, tmp_path):
    settings.BUTLER_HOME = tmp_path
    settings.MAILERS = {"default": {"BACKEND": "channels.dev_outbox.OutboxBackend"}}

    assert [outcome.outcome for outcome in hand_over()] == ["accepted"]
    [entry] = dev_outbox.read_messages()
    assert (entry.channel, entry.to, entry.html) == ("email", ADDRESS, "<p>See you</p>")


def test_an_outbox_that_cannot_be_written_does_not_break_the_batch(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.BUTLER_HOME = tmp_path / "file"
    settings.MAILERS = {"default": {"BACKEND": "channels.dev_outbox.OutboxBackend"}}

    assert [outcome.outcome for outcome in hand_over(2)] == ["uncertain", "uncertain"]
