"""Odd values in each projected event and each input: one invalid event rejects no other."""

import base64
import json
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from customers import ingest, rebuild
from customers.models import Event, QuarantinedItem
from tests import factories, size
from tests.channels.wire_client import source
from tests.odd_values import (
    ODD_NUMBERS,
    ODD_TEXTS,
    projected,
    properties,
    uniform,
    values,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.django_db,
    # A failing example is long, but still useful.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
]

SECRET = "whsec_" + base64.b64encode(b"an invented secret of 32 bytes..").decode()
# The property that names the subject of an event; requests have an endpoint instead.
REFERENCES = {
    "order:": "order_id",
    "call:": "call_id",
    "visit:": "visit_id",
    "chat:": "chat_id",
    "member:": "reference",
}
WIRED = [(name, prefix) for name, prefix in projected() if prefix in REFERENCES]
# Odd times are as likely as missing ones.
moments = st.none() | values


@st.composite
def odd_events(draw):
    """Return one event of each name, about few subjects, so that one projection reads all."""
    events = []
    for name, prefix in WIRED:
        values = draw(properties)
        values[REFERENCES[prefix]] = draw(st.sampled_from(["1", "2"]))
        events.append({"event": name, "properties": values, "timestamp": draw(moments)})
    return events


def wired(events, good_every=1):
    """Return events in Segment's format, with valid events of other customers between them."""
    whose = str(uuid.uuid4())
    batch = []
    for number, odd in enumerate(events):
        batch.append({"type": "track", "messageId": str(uuid.uuid4()), "userId": whose} | odd)
        if number % good_every == 0:
            batch.append(good())
    return batch


def ids_of_good(batch):
    return [event["messageId"] for event in batch if event["userId"] == event["messageId"]]


def good(**fields):
    number = str(uuid.uuid4())
    event = {"type": "track", "event": "Order Completed", "messageId": number, "userId": number}
    return event | {"properties": {"order_id": number, "total": "12.50"}} | fields


def post(path, body, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    client = Client(raise_request_exception=False)
    return client.generic("POST", path, body, content_type="application/json", headers=headers)


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def assert_all_are_somewhere(answer, total, good_ids, before):
    """Check that valid events are stored, and all others stored or quarantined with a reason."""
    assert answer.status_code == 200, answer.content
    stored, apart = before
    good_ids = set(good_ids)
    assert Event.objects.filter(message_id__in=good_ids).count() == len(good_ids)
    now_stored, now_apart = counted()
    new_stored, new_quarantined = now_stored - stored, now_apart - apart
    assert new_stored + new_quarantined == total
    assert int(answer["Butler-Accepted"]) == new_stored
    assert int(answer["Butler-Quarantined"]) == new_quarantined
    assert not QuarantinedItem.objects.filter(reason="").exists()


def counted():
    # Butler itself stores the events of merges and of moved orders.
    stored = Event.objects.exclude(kind="identity").exclude(name="Order Moved")
    return stored.count(), QuarantinedItem.objects.count()


def assert_rebuilt_the_same():
    for ids in rebuild.live_ids():
        assert rebuild.find_differences(ids) == []


def test_every_projection_is_among_what_is_sent():
    assert {prefix for _, prefix in projected()} - REFERENCES.keys() == {"request:"}
    assert len(WIRED) > 30


@pytest.mark.parametrize("is_secret", [False, True], ids=["publishable", "secret"])
def test_odd_events_of_a_batch_cost_no_other(is_secret):
    _, key = source(is_secret=is_secret)

    @size.tries(3, long=60)
    @given(odd_events())
    def sent(events):
        before, batch = counted(), wired(events)

        response = post("/v1/batch", {"batch": batch, "writeKey": key})

        assert_all_are_somewhere(response, len(batch), ids_of_good(batch), before)

    sent()
    assert_rebuilt_the_same()


def test_every_odd_value_in_every_field_costs_no_other():
    _, key = source(is_secret=True)
    # Shortened, so that a batch of them stays below the limit of a request.
    texts = [text[:100] for text in ODD_TEXTS]
    for value in [*texts, *ODD_NUMBERS, None, True, [[]], {"²": []}]:
        events = [
            {"event": name, "properties": uniform(value) | {REFERENCES[prefix]: "1"}}
            for name, prefix in WIRED
        ]
        before, batch = counted(), wired(events, good_every=10)

        response = post("/v1/batch", {"batch": batch, "writeKey": key})

        assert_all_are_somewhere(response, len(batch), ids_of_good(batch), before)
    assert_rebuilt_the_same()


def test_odd_single_events_end_in_no_server_error():
    _, key = source(is_secret=True)

    @size.tries(2, long=60)
    @given(odd_events())
    def sent(events):
        for event in wired(events)[::2]:
            before = counted()

            response = post("/v1/track", event, **basic(key))

            assert_all_are_somewhere(response, 1, (), before)

    sent()
    assert_rebuilt_the_same()


def test_odd_lines_of_a_till_cost_no_other():
    _, key = source(is_secret=True, channel="store", is_shared=True, region="NL")

    @size.tries(3, long=60)
    @given(odd_events())
    def sent(events):
        before, device = counted(), uuid.uuid4().hex
        lines = []
        for number, odd in enumerate(events):
            name = f"odd-{number}-{device}"
            odd = {"id": name, "card": "LK1", "at": odd.pop("timestamp")} | odd
            lines += [odd, {"id": f"good-{number}", "card": f"LK{number}"}]

        response = post("/v1/store/batches", {"device": device, "lines": lines}, **basic(key))

        good_ids = [f"{device}:good-{number}" for number in range(len(events))]
        assert_all_are_somewhere(response, len(lines), good_ids, before)

    sent()
    assert_rebuilt_the_same()


def test_odd_cloudevents_cost_no_other():
    _, key = source(is_secret=True)

    @size.tries(3, long=60)
    @given(odd_events())
    def sent(events):
        before, batch, good_ids = counted(), [], []
        for odd in events:
            ids = {"specversion": "1.0", "source": "/shop", "userid": "noor"}
            bad = ids | {"id": str(uuid.uuid4()), "type": odd["event"], "time": odd["timestamp"]}
            fine = ids | {"id": str(uuid.uuid4()), "type": "Ride Entered"}
            batch += [bad | {"data": odd["properties"]}, fine]
            good_ids.append(f"/shop|{fine['id']}")

        response = post("/v1/events", batch, **basic(key))

        assert_all_are_somewhere(response, len(batch), good_ids, before)

    sent()
    assert_rebuilt_the_same()


def test_odd_webhooks_end_in_no_server_error():
    shop, _ = source(channel="web")
    shop.webhook_secrets = [SECRET]
    shop.save()

    @size.tries(2, long=60)
    @given(odd_events())
    def sent(events):
        for odd in events:
            before, message_id, now = counted(), str(uuid.uuid4()), datetime.now(UTC)
            payload = {"userId": "noor"} | odd["properties"]
            body = json.dumps(
                {"type": odd["event"], "timestamp": odd["timestamp"], "data": payload}
            )
            headers = {
                "webhook-id": message_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(SECRET).sign(message_id, now, body),
            }

            response = post(f"/v1/webhooks/{quote(shop.name)}", body.encode(), **headers)

            assert_all_are_somewhere(response, 1, (), before)

    sent()
    assert_rebuilt_the_same()


CALL_FIELDS = ["from", "to", "direction", "cause", "queue", "subject", "user", "user[]", "callId"]


def test_odd_calls_end_in_no_server_error():
    _, key = source(is_secret=True, channel="phone", region="NL")

    @size.tries(40, long=60)
    @given(
        st.sampled_from(["newCall", "answer", "hangup"]) | values,
        st.dictionaries(st.sampled_from(CALL_FIELDS), values),
    )
    def sent(event, fields):
        call = {"callId": "c1", "from": "+31612345678", "event": event} | fields

        response = post("/v1/phone/calls", call, **basic(key))

        assert response.status_code in (200, 400), response.content

    sent()
    assert_rebuilt_the_same()


def test_odd_bodies_of_the_rest_api_end_in_no_server_error():
    _, key = source(is_secret=True, scopes=("ingest", "read", "identify"))
    customer = factories.customer(("email", "noor@example.com"))
    base = f"/api/customers/{customer.pk}"
    line = {"product": "day", "name": "Day", "quantity": 1, "unit_price": "10.00"}
    whole = {
        "orders": {"currency": "EUR", "lines": [line]},
        "requests": {"subject": "Call me"},
        "party": {"name": "Sem"},
    }

    @size.tries(20, long=60)
    @given(
        st.sampled_from(sorted(whole)),
        properties,
        st.dictionaries(st.text(max_size=5), values),
        st.lists(values, max_size=2),
    )
    def sent(what, odd, details, party):
        bodies = [whole[what] | odd, whole[what] | {"details": details}]
        if what == "orders":
            bodies += [whole[what] | {"party": party}]
            bodies += [whole[what] | {"lines": [line | {"details": details}]}]
        for body in bodies:
            response = post(f"{base}/{what}/", body, Authorization=f"Bearer {key}")

            assert response.status_code < 500, (body, response.content)

    sent()
    assert_rebuilt_the_same()


def test_odd_facts_of_every_projection_cost_no_other():
    """Store events without an endpoint of the ingest API, such as requests, directly."""
    by = factories.sender()

    @size.tries(2, long=60)
    @given(st.lists(properties, min_size=len(projected()), max_size=len(projected())))
    def sent(facts):
        items = []
        for (name, prefix), odd in zip(projected(), facts, strict=True):
            whose = ("user_id", "noor")
            try:
                odd_item = factories.incoming_event(
                    whose, name=name, about=f"{prefix}1", properties=odd
                )
            except UnicodeEncodeError:
                continue
            items += [odd_item, factories.order(str(uuid.uuid4()), total="1.00")]

        receipt = ingest.store_events(sender=by, events=items, received_at=factories.NOON)

        assert len(receipt.outcomes) == len(items)
        assert {outcome.status for outcome in receipt.outcomes[1::2]} <= {"accepted"}
        assert {outcome.status for outcome in receipt.outcomes} <= {"accepted", "quarantined"}

    sent()
    assert_rebuilt_the_same()
