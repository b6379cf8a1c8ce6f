"""The relay that everything about sending is measured with has to remember what it was handed."""

import smtplib
import time

import pytest

from bench.sink import Sink

LETTER = (
    "From: butler@localhost\r\nSubject: For you\r\nMessage-ID: <m-1@localhost>\r\n"
    "Feedback-ID: offers:marketing:localhost\r\n\r\nAn afternoon.\r\n"
)


@pytest.fixture
def relay(tmp_path):
    with Sink.running(tmp_path / "taken") as running:
        yield running


def send(relay, letter=LETTER):
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=5) as line:
        line.sendmail("butler@localhost", ["noor@example.com"], letter)


def turn(relay, mode):
    relay.turn(mode)
    # It obeys when it reads; a letter of another kind tells that it did.
    time.sleep(0.1)


def test_what_is_handed_over_is_written_down_with_its_time(relay):
    before = time.monotonic()
    send(relay)
    after = time.monotonic()

    (taken,) = relay.taken()
    assert before <= taken.at <= after
    assert taken[1:5] == ("m-1", "noor@example.com", "offers", "For you")
    assert taken.is_told


def test_several_letters_go_over_one_line(relay):
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=5) as line:
        for _ in range(3):
            line.sendmail("butler@localhost", ["noor@example.com"], LETTER)

    assert len({taken.body_hash for taken in relay.taken()}) == 1
    assert len(relay.taken()) == 3


def test_what_was_taken_before_the_line_broke_is_there(relay):
    turn(relay, "drop")

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(relay)

    assert [taken.is_told for taken in relay.taken()] == [False]


@pytest.mark.parametrize(
    ("mode", "error"),
    [("refuse", smtplib.SMTPDataError), ("cut", smtplib.SMTPServerDisconnected)],
)
def test_what_was_not_taken_is_not_there(relay, mode, error):
    turn(relay, mode)

    with pytest.raises(error):
        send(relay)

    assert relay.taken() == []


def test_slow_is_slow_and_still_takes_it_at_once(relay):
    turn(relay, "slow")

    before = time.monotonic()
    for _ in range(4):
        send(relay)

    assert time.monotonic() - before > 0.2
    assert len(relay.taken()) == 4


def test_it_is_well_again_after_so_many_letters(relay):
    turn(relay, "refuse 2")

    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError):
            send(relay)
    send(relay)

    assert len(relay.taken()) == 1
