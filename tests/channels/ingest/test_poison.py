"""Invalid events: they reject no batch, are never lost silently, and cause no 5xx."""

import json
import uuid

import pytest
from django.core.management import call_command

from customers.models import Event, Order, QuarantinedItem, Trait
from tests.channels.wire_client import send, source, track

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SUCCESS = b'{"success": true}'


def raw(**fields) -> bytes:
    return json.dumps(track(**fields)).encode()


POISON = {
    "nan": (b'{"type":"track","event":"x","userId":"u","p":NaN}', "not_finite"),
    "infinity": (b'{"type":"track","event":"x","userId":"u","p":-Infinity}', "not_finite"),
    "overflow": (b'{"type":"track","event":"x","userId":"u","p":1e999}', "number_out_of_range"),
    "underflow": (b'{"type":"track","event":"x","userId":"u","p":1e-99999}', "number_out_of_range"),
    "odd zero": (b'{"type":"track","event":"x","userId":"u","p":0e9999999}', "number_out_of_range"),
    "5000 digits": (
        b'{"type":"track","event":"x","userId":"u","p":' + b"7" * 5000 + b"}",
        "number_out_of_range",
    ),
    "nul": (raw(p="a\x00b"), "nul_character"),
    "nul in a key": (raw(**{"a\x00b": 1}), "nul_character"),
    "lone surrogate": (raw(p="\ud800"), "lone_surrogate"),
    "nul byte in an id": (b'{"type":"track","userId":"u","messageId":"a\x00b"}', "malformed"),
    "invalid utf-8": (b'{"type":"track","event":"\xff\xfe","userId":"u"}', "invalid_utf8"),
    "depth 21": (raw(p=json.loads("[" * 20 + "]" * 20)), "too_deep"),
    "depth 10,000": (b'{"p":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too_deep"),
    "depth 100,000": (b'{"p":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    "depth 400,000": (b'{"p":' + b"[" * 400_000 + b"]" * 400_000 + b"}", "too_large"),
    "10,000 keys": (raw(properties={str(n): n for n in range(10_000)}), "too_many_keys"),
    "a long key": (raw(properties={"k" * 129: 1}), "key_too_long"),
    "513 traits": (
        json.dumps(
            {"type": "identify", "userId": "u", "traits": {f"t{n}": n for n in range(513)}}
        ).encode(),
        "too_many_traits",
    ),
    "doubled key": (b'{"type":"track","event":"x","userId":"u","userId":"v"}', "doubled_key"),
    "300 kB": (raw(p="x" * 300_000), "too_large"),
    "missing ids": (raw(userId=None), "missing_ids"),
    "unknown type": (raw(type="trakc"), "unknown_type"),
    "no product": (raw(event=None), "missing_name"),
    "wrong types": (b'{"type":["track"],"event":{},"userId":[1]}', "unknown_type"),
    "id is an object": (raw(userId={"a": 1}), "wrong_type"),
    "long message id": (raw(messageId="m" * 101), "message_id_too_long"),
    "null": (b"null", "not_an_object"),
    "text": (b'"text"', "not_an_object"),
    "list": (b"[[]]", "not_an_object"),
    "no json": (b"{'single': 'quotes'}", "malformed"),
}


@pytest.mark.parametrize("name", POISON)
def test_poison_is_kept_apart_and_costs_nobody_else(running, name):
    bad, reason = POISON[name]
    _, key = source()
    good = [raw(), raw()]
    body = b'{"batch":[%b,%b,%b],"writeKey":"%b"}' % (good[0], bad, good[1], key.encode())

    response = send(running.web, "/v1/batch", body)

    assert (response.status, response.body, response.counts) == (200, SUCCESS, (2, 0, 1))
    quarantined = QuarantinedItem.objects.get()
    assert quarantined.reason == reason
    assert bytes(quarantined.raw) == bad
    assert Event.objects.count() == 2


def test_poison_sent_alone_never_ends_in_a_server_error(running):
    _, key = source()
    for name, (bad, _) in POISON.items():
        before = Event.objects.count() + QuarantinedItem.objects.count()

        response = send(running.web, "/v1/track", bad, key=key)

        if response.status == 200:
            # The route names the kind, so an unknown type does not make this event invalid.
            assert Event.objects.count() + QuarantinedItem.objects.count() == before + 1, name
        else:
            assert response.status == 400, name
            assert set(response.json) == {"code", "message"}


def test_poison_sent_again_is_kept_once(running):
    _, key = source()
    body = b'{"batch":[{"a":NaN}],"writeKey":"%b"}' % key.encode()

    for _ in range(3):
        assert send(running.web, "/v1/batch", body).counts == (0, 0, 1)

    assert QuarantinedItem.objects.count() == 1


def ordered(name="Order Completed", **properties) -> dict:
    return track(event=name, userId="noor", properties={"order_id": "A-1", **properties})


def test_superscript_quantity_from_a_publishable_key_costs_no_other(running):
    _, key = source()
    line = {"line_id": "1", "price": "10.00", "quantity": "²"}
    batch = [track(), ordered(products=[line]), track()]

    response = send(running.web, "/v1/batch", {"batch": batch, "writeKey": key})

    assert (response.status, response.body, response.counts) == (200, SUCCESS, (3, 0, 0))
    # No number is invented for an invalid quantity.
    assert Order.objects.get().lines[0]["quantity"] is None


def test_order_stands_beside_a_stored_cancellation_of_a_superscript_quantity(running):
    _, key = source()
    cancelled = ordered("Order Line Cancelled", line_id="2", quantity="²")
    lines = [{"line_id": number, "price": "10.00", "quantity": 3} for number in ("1", "2")]
    genuine = ordered(products=lines)

    responses = [
        send(running.web, "/v1/batch", {"batch": [event], "writeKey": key})
        for event in (cancelled, genuine)
    ]

    assert [response.counts for response in responses] == [(1, 0, 0), (1, 0, 0)]
    assert [line["quantity"] for line in Order.objects.get().lines] == [3, 3]
    call_command("rebuild", "--check")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"%00%ff&batch=1", id="form"),
        pytest.param(b"\x00" * 1000, id="zeros"),
        pytest.param(b"[" * 2_000_000, id="brackets"),
        pytest.param(b'{"batch":' * 100_000, id="batches-in-batches"),
        pytest.param(b'{"batch":[{"a":"b', id="cut-off"),
        pytest.param(b'{"batch":["' + b'\\"' * 1_000_000, id="a-string-without-end"),
        pytest.param(b'{"batch":[' + b'"",' * 1_000_000 + b"NaN]}", id="a-million-strings"),
        pytest.param(b'{"batch":{},"writeKey":[]}', id="no-list"),
    ],
)
def test_invalid_body_is_answered_with_code_and_message(running, body):
    for path in ("/v1/batch", "/v1/track", "/v1/events"):
        response = send(running.web, path, body, {"X-Write-Key": "pk_unknown"})

        assert response.status in (400, 401, 413)
        assert set(response.json) == {"code", "message"}
    assert send(running.web, "/livez", method="GET").status == 200


NAUGHTY = [
    "\u202ereversed",
    "zero\u200bwidth",
    "\ufeffmark",
    "e\u0301 and é",
    "İıßK",
    "=cmd|' /C calc'!A0",
    "{{7*7}}${7*7}{0.__class__}",
    "a\r\nBcc: all@example.com",
    "javascript:alert(1)",
    "'; DROP TABLE customers_event; --",
    "<script>alert(1)</script>",
    "\x01\x1f\x7f\u0085\u2028",
    "😀" * 200,
    "\\u0000 is only text",
    "\U0010ffff",
]


def test_any_text_comes_back_as_it_came(running):
    _, key = source()
    events = [
        track(userId=str(uuid.uuid4()), event=text[:200], properties={text[:100]: text})
        for text in NAUGHTY
    ]
    identifies = [
        {"type": "identify", "userId": event["userId"], "traits": {"name": text}}
        for event, text in zip(events, NAUGHTY, strict=True)
    ]

    response = send(running.web, "/v1/batch", {"batch": events + identifies, "writeKey": key})

    assert response.counts == (2 * len(NAUGHTY), 0, 0)
    for event in events:
        stored = Event.objects.get(message_id=event["messageId"])
        assert (stored.name, stored.body) == (event["event"], event)
    names = Trait.objects.filter(name="name").values_list("value", flat=True)
    assert sorted(names) == sorted(NAUGHTY)
