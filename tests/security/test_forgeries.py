"""Reports that an attacker forges in the name of a provider, or records and sends again.

Requests with an invalid signature: tests/channels/webhook, tests/channels/sms,
tests/channels/email.
"""

import json
import uuid
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from django.core.management import call_command
from django.utils import timezone
from twilio.request_validator import RequestValidator

from butler.actions import delivery_reports
from butler.messages.delivery_reports import STATE_BY_KIND, DeliveryReport
from butler.models import Delivery, DeliveryReceipt, Message
from channels import unsubscribe
from customers.models import ConsentState, Event, LedgerEntry, Suppression
from tests.butler.arrange import guest, message, record_statement, vocabulary
from tests.channels.email.test_bounces import complaint, letter, status
from tests.channels.provider import SID, TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NOORS, OURS = "+31612345678", "+31201234567"
HOME = "http://testserver/v1/sms/"


@pytest.fixture(autouse=True)
def house(settings):
    settings.BOUNCE_ADDRESS = "bounce@larkmoor.example"
    settings.DEFAULT_FROM_EMAIL = "Larkmoor <hello@larkmoor.example>"
    settings.SMS_ACCOUNT = {"url": "http://nowhere", "sid": SID, "token": TOKEN, "from": OURS}
    vocabulary()


def suppressed_addresses() -> list[tuple[str, str]]:
    """Every address that nothing goes to any more."""
    suppressions = Suppression.objects.filter(lifted_at=None)
    return sorted(suppressions.values_list("channel", "address"))


# Bounced mail, which anybody can forge -------------------------------------------------------


def comes_back(tmp_path, raw: bytes) -> None:
    (tmp_path / "letter").write_bytes(raw)
    call_command("take_bounces", str(tmp_path / "letter"))


def forged_letters(letter: Message) -> dict[str, bytes]:
    """Forge letters that come back and name this message, in each way to name one."""
    address = f"bounce+{letter.pk.hex}@larkmoor.example"
    returned = f"Message-ID: <{letter.pk}@larkmoor.example>\r\n\r\n"
    return {
        "by the address": status(to=address),
        "by the letter": status(to="hello@larkmoor.example", returned=("message/rfc822", returned)),
        "by its headers": status(to="x@y.test", returned=("text/rfc822-headers", returned)),
        "a complaint": complaint(sender=address, returned=returned),
    }


@pytest.mark.parametrize("channel", ["sms", "inbox", "phone"])
def test_bounce_of_a_message_that_was_no_email_changes_nothing(channel, tmp_path):
    noor = guest(phone=NOORS)
    sent_message = message(noor, channel=channel, state="accepted", address=NOORS)

    for raw in forged_letters(sent_message).values():
        comes_back(tmp_path, raw)

    sent_message.refresh_from_db()
    assert (suppressed_addresses(), sent_message.state) == ([], "accepted")
    assert not DeliveryReceipt.objects.exists()
    assert not ConsentState.objects.filter(objected__contains=["marketing"]).exists()


def test_bounce_suppresses_only_the_address_of_its_message(tmp_path):
    noor, eli = guest(email="noor@example.com"), guest(email="eli@example.com")
    sent_message = message(noor, state="accepted", address="noor@example.com")
    message(eli, state="accepted", address="eli@example.com")
    for raw in forged_letters(sent_message).values():
        # The writer of a forged report can name any address.
        for forged in (raw, raw.replace(b"noor@example.com", b"eli@example.com")):
            comes_back(tmp_path, forged)

    assert {address for _, address in suppressed_addresses()} == {"noor@example.com"}
    assert not ConsentState.objects.filter(customer=eli.pk).exists()
    assert not Event.objects.filter(customer=eli.pk, kind="message").exists()


def test_bounce_with_a_guessed_reference_changes_nothing(tmp_path):
    noor = guest(email="noor@example.com")
    sent_message = message(noor, state="accepted", address="noor@example.com")
    block = "Final-Recipient: rfc822; noor@example.com\r\nAction: failed\r\nStatus: 5.1.1"
    link = unsubscribe.sign_token(
        unsubscribe.UnsubscribeScope(noor.pk, sent_message.pk, "offers", "")
    )
    for to, token in (
        ("bounce@larkmoor.example", ""),
        (f"bounce+{noor.pk.hex}@larkmoor.example", noor.pk),
        (f"bounce+{uuid.uuid4().hex}@larkmoor.example", uuid.uuid4()),
        (f"bounce+{link}@larkmoor.example", link),
        ("bounce+%@larkmoor.example", "%"),
        (f"bounce+{sent_message.pk.hex}@elsewhere.example", ""),
    ):
        report = f"Reporting-MTA: dns; relay.example\r\n\r\n{block}"
        returned = f"Message-ID: <{token}@larkmoor.example>\r\nTo: noor@example.com\r\n\r\n"
        parts = ("message/delivery-status", report), ("message/rfc822", returned)
        comes_back(tmp_path, letter("delivery-status", *parts, to=to))

    sent_message.refresh_from_db()
    assert (suppressed_addresses(), sent_message.state) == ([], "accepted")


@pytest.mark.parametrize("kind", sorted(STATE_BY_KIND))
def test_report_of_another_channel_changes_nothing(kind):
    sent_message = message(guest(), channel="sms", state="accepted", address=NOORS)
    report = DeliveryReport("x", kind, timezone.now(), message_id=str(sent_message.pk))

    delivery_reports.store_reports(
        provider="postmark", channel="email", reports=[report], now=timezone.now()
    )

    sent_message.refresh_from_db()
    assert (suppressed_addresses(), sent_message.state) == ([], "accepted")


# Replay of signed requests -------------------------------------------------------------------


class RecordedRequest:
    """A request that the provider signed and an attacker recorded."""

    def __init__(self, client, where: str = "inbound", **fields: str) -> None:
        sid = f"SM{uuid.uuid4().hex}"
        usual_fields = {
            "AccountSid": SID,
            "MessageSid": sid,
            "From": NOORS,
            "To": OURS,
            "NumMedia": "0",
        }
        self.fields = usual_fields | fields
        self.client, self.where = client, where
        self.signature = RequestValidator(TOKEN).compute_signature(HOME + where, self.fields)

    def send(self, where: str = "", body: str = "", **headers: str) -> int:
        answer = self.client.post(
            f"/v1/sms/{where or self.where}",
            body or urlencode(self.fields),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": self.signature, **headers},
        )
        return answer.status_code


def test_stop_with_a_wrong_signature_is_refused(client):
    noor = guest(phone=NOORS)
    greeting = RecordedRequest(client, Body="Hello")
    forged = urlencode(greeting.fields | {"Body": "STOP"})

    assert greeting.send(body=forged) == 401
    assert greeting.send(where="status", body=forged) == 401
    assert greeting.send(body=f"{urlencode(greeting.fields)}&Body=STOP") == 401
    assert greeting.send(body=json.dumps(greeting.fields | {"Body": "STOP"})) == 401
    assert suppressed_addresses() == []
    assert not LedgerEntry.objects.filter(record=noor).exists()


def test_signature_of_one_address_is_refused_at_another(client, settings):
    recorded_request = RecordedRequest(client, Body="STOP")
    settings.ALLOWED_HOSTS = ["*"]

    for where in ("status", "inbound?x=1", "inbound/", f"status?message={uuid.uuid4()}"):
        assert recorded_request.send(where=where) == 401, where
    for host in ("evil.example", "testserver.evil.example"):
        assert recorded_request.send(host=host) == 401, host
    assert suppressed_addresses() == []


def test_replayed_start_lifts_no_suppression(client, time_machine):
    guest(phone=NOORS)
    first, start = RecordedRequest(client, Body="STOP"), RecordedRequest(client, Body="START")
    assert (first.send(), start.send(), suppressed_addresses()) == (200, 200, [])
    assert RecordedRequest(client, Body="STOP").send() == 200

    time_machine.move_to(timezone.now() + timedelta(days=1))
    pairs = list(start.fields.items())
    assert start.send() == 200
    assert start.send(body=urlencode(pairs[::-1])) == 200
    assert suppressed_addresses() == [("sms", NOORS)]


def test_replayed_start_with_shifted_field_boundaries_lifts_no_suppression(client):
    """They are signed one after the other with nothing between: the cuts are anybody's."""
    guest(phone=NOORS)
    start = RecordedRequest(client, Body="START", SmsSid="SM1")
    assert start.send() == 200
    assert RecordedRequest(client, Body="STOP").send() == 200
    sid = start.fields["MessageSid"]

    cut = {name: start.fields[name] for name in ("AccountSid", "Body", "From")}
    longer = cut | {"MessageSid": f"{sid}NumMedia0", "SmsSid": "SM1", "To": OURS}
    shorter = start.fields | {"MessageSid": sid[:-1]}
    shorter[f"{sid[-1]}NumMedia"] = shorter.pop("NumMedia")
    other = start.fields | {"MessageS": f"id{sid}"}
    del other["MessageSid"]
    for fields in (longer, shorter, other):
        start.send(body=urlencode(fields))

    assert suppressed_addresses() == [("sms", NOORS)]
    assert dict(parse_qsl(urlencode(longer)))["MessageSid"] != sid
    signed = RequestValidator(TOKEN).validate(HOME + "inbound", longer, start.signature)
    assert signed, "the forgery is one that the signature fits"


def test_replayed_status_changes_nothing_a_day_later(client, time_machine):
    sent_message = message(guest(phone=NOORS), channel="sms", state="accepted", address=NOORS)
    Delivery.objects.create(
        message=sent_message,
        number=1,
        customer_id=sent_message.customer_id,
        channel="sms",
        provider="twilio",
        customer_version=1,
        claimed_at=sent_message.created_at,
        lease_until=sent_message.created_at,
        outcome="accepted",
        provider_id="SM" + "1" * 32,
    )
    where = f"status?message={sent_message.pk}"
    status_fields = {
        "MessageSid": "SM" + "1" * 32,
        "MessageStatus": "undelivered",
        "ErrorCode": "30005",
    }
    recorded_request = RecordedRequest(client, where, **status_fields)
    assert recorded_request.send() == 204
    assert suppressed_addresses() == [("sms", NOORS)]
    # A person found that the number works again.
    Suppression.objects.update(lifted_at=timezone.now())

    time_machine.move_to(timezone.now() + timedelta(days=1))
    assert recorded_request.send() == 204

    assert suppressed_addresses() == []
    assert record_statement(guest(), "preference.set", "allow", True, channel="sms")
