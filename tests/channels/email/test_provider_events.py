"""The webhooks of mail providers over HTTP, with the payloads of their documentation."""

import base64
import hashlib
import hmac
import json
import uuid

import pytest
from django.utils import timezone

from butler.models import Delivery, DeliveryReceipt, Message
from customers.models import ConsentState, Suppression
from tests.butler.arrange import guest, message, record_statement, vocabulary

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/v1/email/reports"
NOORS = "noor@example.com"
KEY = "key-of-an-invented-account"
NAME, PASSWORD = "larkmoor", "word"
BASIC = "Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
POSTMARKS = "883953f4-6105-42a2-a16a-77a8eac79483"
MAILGUNS = "<20270421095900.1.5CDA@larkmoor.example>"


@pytest.fixture
def postmark(settings):
    settings.MAILERS = {"default": {"BACKEND": "anymail.backends.postmark.EmailBackend"}}
    settings.MAIL_WEBHOOK = {"webhook_secret": f"{NAME}:{PASSWORD}"}
    vocabulary()


@pytest.fixture
def mailgun(settings):
    settings.MAILERS = {"default": {"BACKEND": "anymail.backends.mailgun.EmailBackend"}}
    settings.MAIL_WEBHOOK = {"webhook_signing_key": KEY}
    vocabulary()


def sent(provider: str, provider_id: str, *, outcome: str = "accepted", **facts) -> Message:
    """Create a message that the provider accepted."""
    customer = facts.pop("customer", None) or guest(email=NOORS)
    sent_message = message(customer, state=outcome, address=NOORS, attempts=1, **facts)
    now = timezone.now()
    Delivery.objects.create(
        message=sent_message,
        number=1,
        customer_id=sent_message.customer_id,
        channel="email",
        provider=provider,
        provider_id=provider_id,
        outcome=outcome,
        customer_version=1,
        claimed_at=now,
        lease_until=now,
    )
    return sent_message


def post(client, body: object, *, authorization: str = BASIC) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": authorization} if authorization else {}
    return client.post(PATH, raw, content_type="application/json", headers=headers).status_code


def bounce(kind: str = "HardBounce", details: str = "", **more) -> dict:
    """Return a bounce in the format of Postmark."""
    return {
        "RecordType": "Bounce",
        "ID": 42,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": POSTMARKS,
        "Email": NOORS,
        "Details": details,
        "BouncedAt": "2026-11-05T16:33:54.9070259Z",
        "MessageStream": "outbound",
        "Metadata": {},
        **more,
    }


def event(name: str = "failed", *, key: str = KEY, token: str = "", **fields) -> dict:
    """Return an event in the format of Mailgun, with Mailgun's signature."""
    token, stamp = token or uuid.uuid4().hex, "1793000000"
    signature = hmac.digest(key.encode(), f"{stamp}{token}".encode(), "sha256").hex()
    defaults = {
        "event": name,
        "timestamp": 1793000000.5,
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "recipient": NOORS,
        "message": {"headers": {"message-id": MAILGUNS.strip("<>")}},
        "user-variables": {},
    }
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": signature},
        "event-data": defaults | fields,
    }


def state(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.reason


def closed() -> list[tuple[str, str]]:
    return list(Suppression.objects.filter(lifted_at=None).values_list("address", "reason"))


@pytest.mark.parametrize(
    ("kind", "details", "end"),
    [
        ("HardBounce", "smtp;550 5.1.1 no such mailbox", ("bounced", "5.1.1")),
        ("HardBounce", "", ("bounced", "")),
        ("HardBounce", "smtp;550 5.0.0 no", ("bounced", "5.0.0")),
        ("HardBounce", "smtp;552 5.2.2 mailbox full", ("failed", "5.2.2")),
        ("SoftBounce", "", ("failed", "")),
        ("SoftBounce", "smtp;550 5.1.1 no such mailbox", ("bounced", "5.1.1")),
        ("DnsError", "", ("accepted", "")),
        ("BadEmailAddress", "", ("bounced", "")),
        ("ManuallyDeactivated", "", ("rejected", "")),
        ("AutoResponder", "", ("accepted", "")),
    ],
)
def test_bounce_event_of_postmark_is_applied(postmark, client, kind, details, end):
    message = sent("postmark", POSTMARKS)

    assert post(client, bounce(kind, details)) == 204

    assert state(message) == end
    assert closed() == ([(NOORS, "bounced")] if end[0] == "bounced" else [])


def test_delivered_and_opened_by_postmark(postmark, client):
    message = sent("postmark", POSTMARKS)
    common = {"MessageID": POSTMARKS, "Recipient": NOORS, "Metadata": {}}
    opened = {**common, "RecordType": "Open", "ReceivedAt": "2026-11-05T16:40:00Z"}
    arrived = {**common, "RecordType": "Delivery", "DeliveredAt": "2026-11-05T16:33:54Z"}

    assert [post(client, opened), post(client, arrived), post(client, arrived)] == [204] * 3

    assert state(message) == ("delivered", "")
    # Butler does not store opens.
    assert list(DeliveryReceipt.objects.values_list("kind", flat=True)) == ["delivered"]


def test_a_complaint_to_postmark_is_an_objection(postmark, client):
    message = sent("postmark", POSTMARKS)
    complaint = bounce("SpamComplaint", RecordType="SpamComplaint", TypeCode=512)

    assert [post(client, complaint), post(client, complaint)] == [204, 204]

    assert state(message)[0] == "complained"
    assert closed() == [(NOORS, "complained")]
    assert ConsentState.objects.get(customer=message.customer_id).objected == ["marketing"]


def test_unsubscribing_at_postmark_ends_the_same_as_our_link(postmark, client):
    noor = guest(email=NOORS)
    record_statement(noor, "consent.given", "offers")
    sent("postmark", POSTMARKS, customer=noor)
    change = {
        "RecordType": "SubscriptionChange",
        "MessageID": POSTMARKS,
        "ChangedAt": "2026-11-05T10:53:34Z",
        "Recipient": NOORS,
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
        "Origin": "Recipient",
        "Metadata": {},
    }

    assert [post(client, change), post(client, change)] == [204, 204]

    assert ConsentState.objects.get(customer=noor).granted == []
    assert ConsentState.objects.get(customer=noor).entries == 2


def test_a_report_proves_that_an_uncertain_letter_left(postmark, client):
    message = sent("postmark", "", outcome="uncertain")
    arrived = {
        "RecordType": "Delivery",
        "MessageID": POSTMARKS,
        "DeliveredAt": "2026-11-05T16:33:54Z",
        "Recipient": NOORS,
        "Metadata": {"message": str(message.pk)},
    }

    assert post(client, arrived) == 204

    assert state(message) == ("delivered", "")
    assert Delivery.objects.get().outcome == "accepted"


@pytest.mark.parametrize("authorization", ["", "Basic eDp5", "Bearer x", BASIC[:-4]])
def test_provider_event_with_wrong_credentials_is_refused(postmark, client, authorization):
    message = sent("postmark", POSTMARKS)

    assert post(client, bounce(), authorization=authorization) == 401

    assert state(message) == ("accepted", "")
    assert not DeliveryReceipt.objects.exists()


@pytest.mark.parametrize("secret", [{}, {"webhook_secret": ""}, {"other": "x"}])
def test_provider_event_without_a_configured_secret_is_refused(
    postmark, client, settings, secret, recwarn
):
    settings.MAIL_WEBHOOK = secret

    assert post(client, bounce()) == 404


def test_provider_event_route_is_missing_for_a_relay(postmark, client, settings):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}}

    assert post(client, bounce()) == 404
    assert client.head(PATH).status_code == 404


def test_a_provider_that_looks_first_finds_somebody(postmark, client):
    assert client.head(PATH).status_code == 200


@pytest.mark.parametrize(
    ("name", "fields", "end"),
    [
        ("delivered", {}, ("delivered", "")),
        (
            "failed",
            {"severity": "permanent", "delivery-status": {"message": "5.1.1 no such mailbox"}},
            ("bounced", "5.1.1"),
        ),
        (
            "failed",
            {"severity": "permanent", "delivery-status": {"message": "5.7.1 not for us"}},
            ("failed", "5.7.1"),
        ),
        ("failed", {"severity": "permanent", "reason": "bounce"}, ("bounced", "")),
        ("failed", {"severity": "temporary", "reason": "generic"}, ("accepted", "")),
        ("complained", {}, ("complained", "")),
        ("clicked", {"url": "https://larkmoor.example/"}, ("accepted", "")),
    ],
)
def test_event_of_mailgun_is_applied(mailgun, client, name, fields, end):
    message = sent("mailgun", MAILGUNS)

    assert post(client, event(name, **fields), authorization="") == 204

    assert state(message) == end


def test_unsigned_event_of_mailgun_is_refused(mailgun, client):
    message = sent("mailgun", MAILGUNS)

    assert post(client, event("complained", key="another"), authorization="") == 401

    assert state(message) == ("accepted", "")


def test_a_signature_that_was_seen_once_carries_nothing_else(mailgun, client):
    """The signature does not cover the payload, so it could be reused with another payload."""
    message = sent("mailgun", MAILGUNS)
    post(client, event("delivered", token="seen"), authorization="")

    assert post(client, event("complained", token="seen"), authorization="") == 204

    assert state(message) == ("delivered", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"{",
        b'{"RecordType": []}',
        b'{"RecordType": "Bounce", "Type": {}, "BouncedAt": 7}',
        b'{"RecordType": "Delivery", "MessageID": {"a": "b"}, "Metadata": 5}',
        b"[" * 100_000,
        json.dumps(bounce(Details="\u0000" * 3, MessageID="\u0000")).encode(),
    ],
)
@pytest.mark.parametrize("provider", ["postmark", "mailgun"])
def test_odd_payloads_do_no_harm(request, client, provider, body):
    request.getfixturevalue(provider)

    assert post(client, body) in (204, 400, 401)


def test_reports_do_not_keep_what_the_provider_quotes(postmark, client):
    sent("postmark", POSTMARKS)

    post(client, bounce(details=f"smtp;550 5.1.1 <{NOORS}> unknown", Subject="For you"))

    [receipt] = DeliveryReceipt.objects.values()
    assert NOORS not in repr(receipt)
    assert "For you" not in repr(receipt)


def test_the_digest_of_the_signature_is_the_documented_one():
    signed = hmac.new(KEY.encode(), b"1793000000abc", hashlib.sha256).hexdigest()

    assert event(token="abc")["signature"]["signature"] == signed
