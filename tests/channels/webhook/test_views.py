import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from standardwebhooks import Webhook

from customers.models import Event, Order, QuarantinedItem
from tests.channels.wire_client import send, source

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SECRET = "whsec_" + base64.b64encode(b"an invented secret of 32 bytes..").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, for a rotation..").decode()
PLACED = {
    "type": "Order Completed",
    "timestamp": "2026-11-20T10:00:00Z",
    "data": {
        "order_id": "A-1",
        "total": "12.50",
        "currency": "EUR",
        "customer": {"email": "noor@example.com"},
    },
}


@pytest.fixture
def shop(running):
    of, _ = source(name="Ticket shop", channel="web")
    of.webhook_secrets = [OTHER, SECRET]
    of.save()
    return of


def deliver(running, payload, *, message_id="msg_1", secret=SECRET, at=None, name="Ticket shop"):
    at = at or datetime.now(UTC)
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body.decode()),
    }
    return send(running.web, f"/v1/webhooks/{quote(name, safe='')}", body, headers)


def test_a_signed_webhook_becomes_part_of_the_record(running, shop):
    response = deliver(running, PLACED)

    assert response.counts == (1, 0, 0)
    stored = Event.objects.get()
    assert (stored.name, stored.about, stored.evidence) == ("Order Completed", "order:A-1", 2)
    assert stored.message_id == "msg_1"
    assert stored.occurred_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert str(Order.objects.get().total) == "12.50"


def test_delivered_again_it_has_one_effect(running, shop):
    now = datetime.now(UTC)

    responses = [
        deliver(running, PLACED, secret=secret, at=at)
        for secret, at in ((SECRET, now), (SECRET, now), (OTHER, now - timedelta(minutes=4)))
    ]

    assert [response.counts for response in responses] == [(1, 0, 0), (0, 1, 0), (0, 1, 0)]
    assert Event.objects.count() == 1


def test_the_shape_of_a_client_is_taken_too(running, shop):
    fields = {"type": "identify", "userId": "noor", "traits": {"name": "Noor"}}

    assert deliver(running, fields).counts == (1, 0, 0)
    assert Event.objects.get().kind == "identify"


def test_webhook_without_identifiers_goes_to_quarantine(running, shop):
    response = deliver(running, {"type": "ping", "data": {}}, message_id="msg_7")

    assert response.counts == (0, 0, 1)
    quarantined = QuarantinedItem.objects.get()
    assert (quarantined.reason, quarantined.message_id) == ("missing_ids", "msg_7")


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'{"type":NaN}', b'{"type":["x"],"data":5}'], ids=range(5)
)
def test_odd_payloads_are_kept_apart(running, shop, payload):
    response = deliver(running, payload)

    assert (response.status, response.counts) == (200, (0, 0, 1))


def test_unsigned_or_old_ones_are_refused(running, shop):
    wrong = "whsec_" + base64.b64encode(b"somebody else's secret, 32 bytes").decode()
    responses = [
        deliver(running, PLACED, secret=wrong),
        deliver(running, PLACED, at=datetime.now(UTC) - timedelta(minutes=6)),
        send(running.web, "/v1/webhooks/Ticket%20shop", PLACED),
    ]

    assert [(response.status, response.json["code"]) for response in responses] == [
        (401, "wrong_signature")
    ] * 3
    assert not Event.objects.exists()


def test_a_source_without_a_secret_takes_no_webhooks(running):
    source(name="Ticket shop")

    for name in ("Ticket shop", "nobody", "\x00"):
        response = deliver(running, PLACED, name=name)

        assert (response.status, response.json["code"]) == (404, "unknown_source")
