"""Messages through a real relay or provider, and the replies, which take effect at once."""

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from butler.actions import delivery_reports
from butler.models import Message
from channels import deliveries
from channels.email import bounces
from channels.email.adapter import EmailAdapter
from channels.sms.adapter import SmsAdapter
from tests.butler.arrange import NOON, guest, message, record_statement, vocabulary
from tests.channels import provider as providers
from tests.channels import relay as relays
from tests.channels.provider import SID, TOKEN, Provider
from tests.channels.relay import Relay

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NOORS = "+31612345678"


@pytest.fixture
def noor(settings):
    settings.DEFAULT_FROM_EMAIL = "Larkmoor <hello@larkmoor.example>"
    settings.BOUNCE_ADDRESS = "bounce@larkmoor.example"
    vocabulary()
    noor = guest(email="noor@example.com", phone=NOORS)
    record_statement(noor, "consent.given", "offers", occurred_at=NOON - timedelta(days=300))
    return noor


@pytest.fixture
def relay(settings):
    relay = Relay()
    controller, port = relays.start(relay)
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port},
        }
    }
    yield relay
    controller.stop()


def hand_over(adapter) -> None:
    deliveries.deliver_batch(adapter, clock=lambda: NOON, limit=25)


def state(message: Message) -> str:
    message.refresh_from_db()
    return f"{message.state} {message.reason}".strip()


def test_one_tap_in_the_letter_ends_the_next_one(noor, relay):
    first = message(noor)
    hand_over(EmailAdapter())
    [letter] = relay.letters
    second = message(noor)

    link = letter.message["List-Unsubscribe"].strip("<>")
    response = Client().post(
        urlsplit(link).path,
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    hand_over(EmailAdapter())

    assert response.status_code == 200
    assert "1 message" in response.content.decode() or "One message" in response.content.decode()
    assert letter.envelope_to == ["noor@example.com"]
    assert (state(first), len(relay.letters)) == ("accepted", 1)
    assert state(second) == "suppressed consent_withdrawn"


def test_an_address_that_is_gone_is_not_written_to_again(noor, relay):
    relay.mode = "unknown"
    first = message(noor)

    hand_over(EmailAdapter())
    relay.mode = "ok"
    second = message(noor)
    hand_over(EmailAdapter())

    assert state(first) == "rejected 5.1.1"
    assert state(second) == "suppressed address_bounced"
    assert relay.letters == []


def test_a_letter_that_comes_back_hours_later_finds_its_message(noor, relay):
    first = message(noor)
    hand_over(EmailAdapter())
    back = relay.letters[0].envelope_from
    report = "Action: failed\r\nStatus: 5.1.1\r\n"
    raw = (
        f"To: {back}\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
        f"Content-Type: message/delivery-status\r\n\r\n{report}\r\n--b--\r\n"
    )

    reports = bounces.parse_reports(
        raw.encode(), bounce_address="bounce@larkmoor.example", domain="larkmoor.example", now=NOON
    )
    delivery_reports.store_reports(provider="smtp", channel="email", reports=reports, now=NOON)

    assert state(first) == "bounced 5.1.1"


def test_stop_by_sms_ends_the_next_one(noor, settings, live_server):
    provider = Provider()
    account = {"url": provider.url, "sid": SID, "token": TOKEN, "from": "+31201234567"}
    settings.SMS_ACCOUNT, settings.BUTLER_SITE_URL = account, live_server.url
    try:
        first = message(noor, channel="sms")
        hand_over(SmsAdapter(account))
        second = message(noor, channel="sms")

        fields = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": NOORS, "Body": "stop"}
        status, _ = providers.call(f"{live_server.url}/v1/sms/inbound", fields)
        hand_over(SmsAdapter(account))
        provider.report(live_server.url, provider.messages[0], "delivered")

        assert status == 200
        assert len(provider.messages) == 1
        assert state(first) == "delivered"
        assert state(second) == "suppressed address_stopped"
    finally:
        provider.stop()
