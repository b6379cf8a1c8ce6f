"""The relay that everything about sending is measured with has to remember what it was handed."""

import smtplib
import time

import pytest

from bench.sink import Sink

EMAIL = (
    "From: butler@localhost\r\nSubject: For you\r\nMessage-ID: <m-1@localhost>\r\n"
    "Feedback-ID: offers:marketing:localhost\r\n\r\nAn afternoon.\r\n"
)


@pytest.fixture
def relay(tmp_path):
    with Sink.running(tmp_path / "taken") as running:
        yield running


def send(relay, email=EMAIL):
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=5) as client:
        client.sendmail("butler@localhost", ["noor@example.com"], email)


def set_mode(relay, mode):
    relay.set_mode(mode)
    # It obeys when it reads; a letter of another kind tells that it did.
    time.sleep(0.1)


def test_accepted_message_is_written_with_its_time(relay):
    before = time.monotonic()
    send(relay)
    after = time.monotonic()

    (message,) = relay.received()
    assert before <= message.received_at <= after
    assert message[1:5] == ("m-1", "noor@example.com", "offers", "For you")
    assert message.is_acknowledged


def test_one_connection_carries_several_messages(relay):
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=5) as client:
        for _ in range(3):
            client.sendmail("butler@localhost", ["noor@example.com"], EMAIL)

    assert len({message.body_hash for message in relay.received()}) == 1
    assert len(relay.received()) == 3


def test_message_taken_before_a_dropped_connection_is_written(relay):
    set_mode(relay, "drop")

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(relay)

    assert [message.is_acknowledged for message in relay.received()] == [False]


@pytest.mark.parametrize(
    ("mode", "error"),
    [("refuse", smtplib.SMTPDataError), ("cut", smtplib.SMTPServerDisconnected)],
)
def test_refused_or_cut_message_is_not_written(relay, mode, error):
    set_mode(relay, mode)

    with pytest.raises(error):
        send(relay)

    assert relay.received() == []


def test_slow_mode_answers_late_and_accepts_every_message(relay):
    set_mode(relay, "slow")

    before = time.monotonic()
    for _ in range(4):
        send(relay)

    assert time.monotonic() - before > 0.2
    assert len(relay.received()) == 4


def test_mode_ends_after_its_number_of_messages(relay):
    set_mode(relay, "refuse 2")

    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError):
            send(relay)
    send(relay)

    assert len(relay.received()) == 1
