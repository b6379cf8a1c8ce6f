"""The connection to a real relay: one for a batch, with TLS, login and a deadline."""

import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from bench.ports import free_port
from channels.email.adapter import EmailAdapter
from channels.protocol import ChannelMessage
from tests.channels import relay as relays
from tests.channels.relay import Relay


@pytest.fixture(autouse=True)
def _sender_address(settings):
    settings.DEFAULT_FROM_EMAIL = "Larkmoor <hello@larkmoor.example>"
    settings.BOUNCE_ADDRESS = ""


@pytest.fixture
def relay():
    relay = Relay()
    controller, port = relays.start(relay)
    relay.port = port
    yield relay
    controller.stop()


def parcels(count: int) -> list[ChannelMessage]:
    ids = [uuid.uuid4() for _ in range(count)]
    words = ("Your visit", "See you on Sunday.", "", "service", "visits")
    return [ChannelMessage(id_, uuid.uuid4(), id_, "noor@example.com", "en", *words) for id_ in ids]


def adapter(settings, port: int, *, timeout: float = 2.0, **options) -> EmailAdapter:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "localhost", "port": port, **options},
        }
    }
    return EmailAdapter(timeout=timeout)


def hand_over(adapter: EmailAdapter, count: int = 1) -> list[str]:
    outcomes = adapter.send(parcels(count), lambda: True)
    return [f"{outcome.outcome} {outcome.code}" for outcome in outcomes]


def test_batch_uses_one_connection(settings, relay):
    assert hand_over(adapter(settings, relay.port), 20) == ["accepted 250"] * 20
    assert relay.lines == 1
    assert len(relay.letters) == 20


def test_copy_goes_to_a_further_recipient_whom_the_message_does_not_name(settings, relay):
    [parcel] = parcels(1)
    parcel = msgspec.structs.replace(parcel, copies=("noor.new@example.com",))

    [outcome] = adapter(settings, relay.port).send([parcel], lambda: True)

    [letter] = relay.letters
    assert outcome.outcome == "accepted"
    assert letter.envelope_to == ["noor@example.com", "noor.new@example.com"]
    assert letter.message["To"] == "noor@example.com"
    assert b"noor.new" not in letter.content


def test_rejected_message_keeps_the_connection_open(settings, relay):
    way = adapter(settings, relay.port)
    relay.mode = "unknown"
    outcomes = way.send(parcels(3), lambda: True)

    first = next(outcomes)
    relay.mode = "ok"
    rest = list(outcomes)

    assert (first.outcome, first.suppress) == ("rejected", "bounced")
    assert [outcome.outcome for outcome in rest] == ["accepted", "accepted"]
    assert relay.lines == 1


def test_broken_connection_is_reopened_for_the_next_message(settings, relay):
    way = adapter(settings, relay.port)
    relay.mode = "cut"
    outcomes = way.send(parcels(2), lambda: True)

    first = next(outcomes)
    relay.mode = "ok"

    assert (first.outcome, next(outcomes).outcome) == ("transient", "accepted")
    assert relay.lines == 2
    outcomes.close()


def test_smtp_commands_in_the_text_arrive_as_text(settings, relay):
    text = "first\r\n.\r\nMAIL FROM:<x@example.com>\r\n..\r\n.last"
    [parcel] = parcels(1)
    words = ChannelMessage(
        parcel.id, parcel.delivery_id, parcel.id, parcel.to, "en", "s", text, "", "service", "t"
    )

    outcomes = list(adapter(settings, relay.port).send([words], lambda: True))

    assert [outcome.outcome for outcome in outcomes] == ["accepted"]
    [letter] = relay.letters
    assert letter.message.get_content().splitlines() == text.splitlines()
    assert letter.envelope_from == "hello@larkmoor.example"


# A relay that sends this greeting and then no more data, on a separate socket.


def _server_that_greets(greeting: bytes, pause: float = 0.0) -> tuple[int, Callable[[], int]]:
    """Start a relay; return its port, and a function that ends it and counts its connections."""
    ended = threading.Event()
    connection_count = 0
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(60)

    def greet(line: socket.socket) -> None:
        for byte in greeting:
            if ended.is_set():
                return
            try:
                line.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(pause)
        ended.wait(60)

    def serve() -> None:
        nonlocal connection_count
        with suppress(TimeoutError, BlockingIOError), server:
            while True:
                line, _ = server.accept()
                connection_count += 1
                with line:
                    greet(line)
                # At the end, only the connections that already wait are counted.
                server.settimeout(0)

    thread = threading.Thread(target=serve)
    thread.start()

    def end() -> int:
        ended.set()
        thread.join()
        return connection_count

    return server.getsockname()[1], end


@pytest.mark.slow
@pytest.mark.parametrize(
    ("greeting", "pause", "code"),
    [
        pytest.param(b"", 0.0, "connect_timeout", id="silence"),
        pytest.param(b"220 relay.example" + b" very" * 200, 0.05, "connect_timeout", id="drip"),
        pytest.param(b"421 busy\r\n", 0.0, "421", id="busy"),
        pytest.param(b"554 no\r\n", 0.0, "554", id="no"),
        pytest.param(b"\x00\xff\xfe nonsense\r\n", 0.0, "connect_failed", id="nonsense"),
    ],
)
def test_a_relay_that_does_not_greet_costs_one_timeout_for_the_whole_batch(
    settings, greeting, pause, code
):
    port, end = _server_that_greets(greeting, pause)
    began = time.monotonic()

    outcomes = hand_over(adapter(settings, port, timeout=0.5, host="127.0.0.1"), 5)

    elapsed = time.monotonic() - began
    assert end() == 1
    assert [outcome.partition(" ")[0] for outcome in outcomes] == ["transient"] * 5
    assert outcomes[0] == f"transient {code}" or code == "connect_failed"
    # The relay takes fifty seconds for the longest greeting, and sixty for silence.
    assert elapsed < 20


# Secured and known -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    extra = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


class _Secured(Controller):
    def __init__(self, relay: Relay, port: int, context, *, is_tls: bool) -> None:
        self._context, self._is_tls = context, is_tls
        super().__init__(relay, hostname="127.0.0.1", port=port, ssl_context=None)
        if is_tls:
            self.ssl_context = context

    def _trigger_server(self):
        # The controller's own check uses no TLS.
        with socket.create_connection((self.hostname, self.port)):
            self._factory_invoked.wait(5)

    def factory(self):
        def authenticate(server, session, envelope, mechanism, credentials):
            return AuthResult(success=credentials.password == b"right")

        secured = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
        if not self._is_tls:
            secured |= {"tls_context": self._context, "require_starttls": True}
        return SMTP(self.handler, hostname="localhost", **secured)


# aiosmtpd warns about the settings under test, and does not close broken connections.
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
@pytest.mark.parametrize("is_tls", [False, True], ids=["starttls", "tls"])
@pytest.mark.parametrize(
    ("password", "is_trusted", "outcome"),
    [
        ("right", True, "accepted 250"),
        # This relay waits before it refuses a login.
        ("wrong", True, "transient"),
        ("right", False, "transient connect_failed"),
    ],
    ids=["known", "unknown", "another-certificate"],
)
def test_it_speaks_only_to_a_relay_that_it_can_trust_and_that_knows_it(
    settings, monkeypatch, certificate, is_tls, password, is_trusted, outcome
):
    context, cert = certificate
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    relay, port = Relay(), free_port()
    controller = _Secured(relay, port, context, is_tls=is_tls)
    controller.start()
    options = {"username": "larkmoor", "password": password}
    options |= {"use_ssl": True} if is_tls else {"use_tls": True}

    try:
        [delivery_result] = hand_over(adapter(settings, port, **options))
        assert delivery_result.startswith(outcome)
    finally:
        controller.stop()
    assert len(relay.letters) == outcome.startswith("accepted")
