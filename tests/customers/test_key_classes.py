"""Message ids of a publishable key do not block those of the secret key of its source."""

import base64
import hashlib
import json
from hashlib import blake2b
from importlib import import_module
from uuid import UUID

import pgtrigger
import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from channels.quarantine.replay import replay
from channels.webhook.signature import sign
from customers import rebuild
from customers.actions.sources import add_key
from customers.models import Event, Evidence, IdempotencyKey, QuarantinedItem, Source, Trait
from tests import factories
from tests.channels.wire_client import track
from tests.customers.api.conftest import Caller
from tests.customers.old_schema import old_column_names
from tests.factories import NOON, incoming_event, record, sender

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four").decode()


class Shop:
    """A source with a key of each class, and signed webhooks."""

    def __init__(self) -> None:
        self.source = factories.source("shop", webhook_secrets=[SECRET])
        self.publishable = add_key(source=self.source, is_secret=False)
        self.secret = add_key(source=self.source, is_secret=True)
        # A server that may only send: its events are claims, but its key is not public.
        self.ingest_only = add_key(source=self.source, is_secret=True, scopes=["ingest"])

    def post(self, client, path: str, body: object, key: str) -> None:
        answer = client.post(
            path,
            body if isinstance(body, bytes) else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code in (200, 404), answer.content

    def occupy(self, client, message_id: str) -> None:
        """Use a message id with the publishable key."""
        event = track(messageId=message_id, event="Nonsense")
        self.post(client, "/v1/track", event, self.publishable)
        assert Event.objects.filter(message_id=message_id, evidence=Evidence.CLAIMED).exists()


@pytest.fixture
def shop() -> Shop:
    return Shop()


def stored(message_id: str) -> Event:
    return Event.objects.exclude(name="Nonsense").get(message_id=message_id)


# Every way in ------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["secret", "ingest_only"])
def test_event_of_a_server_is_stored_under_an_id_that_a_stranger_used(client, shop, key):
    shop.occupy(client, "m-1")
    event = track(messageId="m-1")

    for _ in range(2):
        shop.post(client, "/v1/track", event, getattr(shop, key))

    evidence = Evidence.VERIFIED if key == "secret" else Evidence.CLAIMED
    assert stored("m-1").evidence == evidence
    assert Event.objects.filter(message_id="m-1").count() == 2
    assert not QuarantinedItem.objects.exists()


def test_event_of_a_stranger_is_stored_under_an_id_that_a_server_used(client, shop):
    shop.post(client, "/v1/track", track(messageId="m-1"), shop.secret)

    shop.occupy(client, "m-1")

    assert not QuarantinedItem.objects.exists()


def test_cloudevent_is_stored_under_an_id_that_a_stranger_used(client, shop):
    shop.occupy(client, "/gates/2|7")
    event = {"specversion": "1.0", "id": "7", "source": "/gates/2", "type": "gate.entered"}

    shop.post(client, "/v1/events", event | {"subject": "card:LK1"}, shop.secret)

    assert stored("/gates/2|7").name == "gate.entered"


def test_step_of_a_call_is_stored_under_an_id_that_a_stranger_used(client, shop):
    shop.occupy(client, "c-1:newCall")
    call = {"event": "newCall", "callId": "c-1", "from": "+31612345678", "direction": "in"}

    shop.post(client, "/v1/phone/calls", call, shop.secret)

    assert stored("c-1:newCall").name == "Call Started"


def test_line_and_scan_of_a_till_are_stored_under_ids_that_a_stranger_used(client, shop):
    for message_id in ("gate-1:1", "gate-1:2"):
        shop.occupy(client, message_id)
    lines = {"device": "gate-1", "sequence": 1, "lines": [{"id": "1", "card": "LK1"}]}

    shop.post(client, "/v1/store/batches", lines, shop.secret)
    scan = {"device": "gate-1", "id": "2", "card": "LK1"}
    shop.post(client, "/v1/store/scans", scan, shop.secret)

    assert {stored(f"gate-1:{line}").name for line in "12"} == {"Card Scanned"}


def test_webhook_is_stored_under_an_id_that_a_stranger_used(client, shop):
    shop.occupy(client, "msg_1")
    body = json.dumps({"type": "order.paid", "data": {"email": "noor@example.com"}}).encode()
    at = int(timezone.now().timestamp())

    answer = client.post(
        "/v1/webhooks/shop",
        body,
        content_type="application/json",
        headers={
            "webhook-id": "msg_1",
            "webhook-timestamp": str(at),
            "webhook-signature": sign(SECRET, "msg_1", at, body),
        },
    )

    assert answer.status_code == 200
    assert stored("msg_1").name == "order.paid"


def test_text_message_is_stored_under_an_id_that_a_stranger_used(client):
    """The source of SMS is one by its name, which an operator may have given a key."""
    from channels.sms import inbound

    texts = Source.objects.create(name=inbound.CHANNEL, channel="sms")
    sid = "SM" + "0" * 32
    record(incoming_event(("user_id", "stranger"), message_id=sid), by=sender(texts, trusted=False))
    text = inbound.parse_sms(
        {"From": "+31612345678", "To": "+3197", "Body": "hello", "MessageSid": sid}
    )

    inbound.handle_sms(text, now=NOON)

    assert Event.objects.filter(message_id=sid, name="Message Received").exists()


# Quarantine --------------------------------------------------------------------------


def test_refused_item_of_a_server_is_kept_beside_the_same_of_a_stranger(client, shop):
    bad = {"batch": [{"type": "track", "event": "x"}]}

    for key in (shop.publishable, shop.secret, shop.ingest_only) * 2:
        shop.post(client, "/v1/batch", bad, key)

    rows = QuarantinedItem.objects.values_list("evidence", "is_secret")
    # The two secret keys are one class: the first of them is kept.
    assert sorted(rows) == [(Evidence.CLAIMED, False), (Evidence.VERIFIED, True)]


@pytest.mark.parametrize("is_secret", [True, False])
def test_replay_of_a_claim_uses_the_names_of_the_key_it_came_with(client, shop, is_secret):
    shop.occupy(client, "m-1")
    raw = json.dumps(track(messageId="m-1", event="Ride Entered")).encode()
    refused = QuarantinedItem.objects.create(
        source=shop.source,
        raw=raw,
        reason="not_understood_then",
        digest=UUID(bytes=hashlib.md5(raw, usedforsecurity=False).digest()),
        evidence=Evidence.CLAIMED,
        is_secret=is_secret,
        received_at=NOON,
    )

    outcome = replay(item_id=refused.pk, now=NOON)

    assert outcome.status == ("accepted" if is_secret else "other_content")


# REST --------------------------------------------------------------------------------


def test_publishable_key_occupies_no_idempotency_key(client, shop):
    customer = factories.customer(("email", "noor@example.com"))
    path = f"/api/customers/{customer.pk}/orders/"
    lines = [{"product": "day", "name": "Day", "quantity": 1, "unit_price": "39.50"}]
    order = {"currency": "EUR", "visit_date": "2026-12-24", "lines": lines}
    once = {"Idempotency-Key": "order-1"}

    for key in (shop.publishable, shop.ingest_only):
        refused = Caller(Authorization=f"Bearer {key}").post(path, {"currency": "SEK"}, **once)
        assert refused.status_code == 403
    assert not IdempotencyKey.objects.exists()
    placed = Caller(Authorization=f"Bearer {shop.secret}").post(path, order, **once)

    assert placed.status_code == 201


# Migration of stored keys ------------------------------------------------------------


def separate() -> None:
    migration = import_module("customers.migrations.0015_message_keys_by_class")
    with old_column_names(), connection.schema_editor(atomic=False) as editor:
        migration.separate(apps, editor)


def keyed_as_before() -> None:
    """Give every claim the key that it had when the class of a key was no part of it."""
    with pgtrigger.ignore("customers.Event:event_is_never_changed"):
        for event in Event.objects.filter(evidence=Evidence.CLAIMED):
            whole = f"{event.source_id}:{event.message_id}".encode()
            key = UUID(bytes=blake2b(whole, digest_size=16).digest())
            Trait.objects.filter(message_key=event.message_key).update(message_key=key)
            Event.objects.filter(pk=event.pk).update(message_key=key)
    for refused in QuarantinedItem.objects.filter(evidence=Evidence.CLAIMED):
        whole = b"%d:%b" % (refused.source_id, bytes(refused.raw))
        refused.digest = UUID(bytes=blake2b(whole, digest_size=16).digest())
        refused.save()
    QuarantinedItem.objects.update(is_secret=False)


def test_events_from_before_the_migration_are_not_stored_twice(client, shop):
    person = {"type": "identify", "messageId": "i-1", "traits": {"name": "Noor"}}
    person |= {"anonymousId": "a-1"}
    claims = {"batch": [track(messageId=f"m-{number}") for number in range(3)] + [person]}
    bad = {"batch": [{"type": "track", "event": "x"}]}
    trusted = {"batch": [track(messageId=f"s-{number}") for number in range(3)]}
    shop.post(client, "/v1/batch", claims, shop.publishable)
    shop.post(client, "/v1/batch", bad, shop.publishable)
    shop.post(client, "/v1/batch", trusted, shop.secret)
    keyed_as_before()
    before = Event.objects.count()

    for _ in range(2):
        separate()
    shop.post(client, "/v1/batch", claims, shop.publishable)
    shop.post(client, "/v1/batch", bad, shop.publishable)
    shop.post(client, "/v1/batch", trusted, shop.secret)

    assert Event.objects.count() == before == 7
    assert QuarantinedItem.objects.count() == 1
    assert rebuild.find_differences([ids for batch in rebuild.live_ids() for ids in batch]) == []
    shop.post(client, "/v1/track", track(messageId="m-1"), shop.secret)
    assert Event.objects.filter(message_id="m-1").count() == 2


def test_claim_of_a_secret_key_that_was_stored_before_does_not_double(client, shop):
    event = track(messageId="m-1")
    shop.post(client, "/v1/track", event, shop.ingest_only)
    keyed_as_before()
    separate()

    shop.post(client, "/v1/track", event, shop.ingest_only)
    assert Event.objects.count() == 1
    shop.post(client, "/v1/track", event | {"event": "Ride Left"}, shop.ingest_only)

    # The key class of the first message is unknown, so other content is a separate message.
    assert Event.objects.count() == 2


def test_migration_is_cut_into_batches(monkeypatch):
    migration = import_module("customers.migrations.0015_message_keys_by_class")
    monkeypatch.setattr(migration, "BATCH", 2)
    public = sender(trusted=False)
    items = [incoming_event(("anonymous_id", f"a-{number % 3}")) for number in range(7)]
    record(*items, by=public)
    keyed_as_before()

    separate()

    record(*items, by=public)
    assert Event.objects.count() == 7
