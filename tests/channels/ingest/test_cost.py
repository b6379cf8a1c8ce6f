"""The cost of a body, counted in steps and in bytes read, and not in seconds."""

import contextlib
import gzip
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest import authentication, batches, bodies, limits, tolerant_json
from channels.ingest.batches import MAX_EVENTS, TooManyEvents
from channels.ingest.limits import InvalidEvent
from channels.ingest.tolerant_json import InvalidBatch
from customers.models import Event, QuarantinedItem
from tests.channels.wire_client import source, track

FOUR_MB = 4 * 1024 * 1024
GOOD = b'{"messageId":"good"}'
BROKEN = b"[[[[" * 200_000


def filled(unit: bytes, size: int = FOUR_MB - 100) -> bytes:
    return unit * (size // len(unit))


# Salvage -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "steps"),
    [
        pytest.param(filled(b'""', 100_000), 10, id="strings"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, 10, id="100000-deep"),
        pytest.param(b"[" + filled(b"{},", 100_000) + b"NaN]", 10, id="innermost-pairs"),
        pytest.param(b'"' + filled(b"{[,]}", 100_000) + b'"', 10, id="brackets-in-a-string"),
    ],
)
def test_one_bad_item_takes_few_steps_and_costs_no_other(monkeypatch, bad, steps):
    monkeypatch.setattr(tolerant_json, "MAX_STEPS", steps)

    opened = batches.parse_batch(b'{"batch":[%b,%b,%b]}' % (GOOD, bad, GOOD))

    assert opened.raw_events == [GOOD, bad, GOOD]


def test_more_steps_than_a_pass_may_take_are_no_batch(monkeypatch):
    body = b'{"batch":[' + b",".join([GOOD] * 20) + b",NaN]}"
    assert len(batches.parse_batch(body).raw_events) == 21

    monkeypatch.setattr(tolerant_json, "MAX_STEPS", 20)

    with pytest.raises(InvalidBatch):
        batches.parse_batch(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch":[' + filled(b'{"type":'),
        b'{"batch":[' + filled(b'{"type":"a",'),
        filled(b'{"batch":[{"type":'),
        b'{"batch":[' + filled(b'{"type":"a"}') + b',{"',
        filled(b'{"type":"},{'),
        filled(b"[{},"),
    ],
    ids=["openings", "commas", "envelopes", "lost-commas", "strings", "lists"],
)
def test_damage_everywhere_is_read_again_a_bounded_number_of_times(monkeypatch, body):
    """Each regular expression reads forward: the sum of what they read is the cost."""
    read = 0
    original = tolerant_json.value_end

    def counted(text, start, max_steps):
        nonlocal read
        end, steps = original(text, start, max_steps)
        read += (end or len(text)) - start
        return end, steps

    monkeypatch.setattr(tolerant_json, "value_end", counted)

    with contextlib.suppress(InvalidBatch, TooManyEvents):
        batches.parse_batch(body)

    assert read <= 7 * len(body)


def test_one_item_of_the_densest_kind_leaves_steps_for_a_full_batch():
    dense = b'{"a":[' + filled(b"[[]],", limits.MAX_EVENT - 100) + b"NaN]}"
    event = json.dumps(track(properties={"lines": [{"name": "x", "tags": [1]}] * 5})).encode()
    events = [event] * 2000

    opened = batches.parse_batch(b'{"batch":[%b,%b]}' % (dense, b",".join(events)))

    assert opened.raw_events == [dense, *events]


@pytest.mark.parametrize(
    "list_of", [b"{},", b'"",', b"[],", b"0,"], ids=["objects", "strings", "lists", "numbers"]
)
def test_a_batch_of_a_million_items_is_refused_at_the_first_too_many(monkeypatch, list_of):
    monkeypatch.setattr(tolerant_json, "MAX_STEPS", MAX_EVENTS + 10)

    with pytest.raises(TooManyEvents):
        batches.parse_batch(b'{"batch":[' + filled(list_of) + b"0]}")


@pytest.mark.parametrize("brackets", [b"[", b"{", b"[]", b'{"a":1}'])
def test_no_decoder_looks_at_a_body_of_brackets(brackets):
    assert not limits.is_nested_safely(brackets * (limits.MAX_BRACKETS + 1))


def test_a_number_that_no_double_holds_is_out_of_range():
    assert limits.read_object(b'{"a":%d}' % (2**1024 - 1))
    for number in (2**1024, -(2**1024)):
        with pytest.raises(InvalidEvent) as refused:
            limits.read_object(b'{"a":[{"b":%d}]}' % number)
        assert refused.value.reason == "number_out_of_range"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        # A search to the end of the text from each quote would take 21 seconds.
        pytest.param(b'{"a":"' + b'\\"' * 120_000, "malformed", id="string-without-end"),
        pytest.param(b'{"a":"' + b'"\\' * 100_000, "malformed", id="quotes-and-backslashes"),
        pytest.param(b'{"a":"b', "malformed", id="cut-off"),
        pytest.param(b'{"a":"NaN', "malformed", id="cut-off-in-a-word"),
        pytest.param(b'{"a":"\\', "malformed", id="cut-off-in-an-escape"),
        pytest.param(b'{"a":"b",NaN:"', "not_finite", id="nan-before-a-string-without-end"),
    ],
)
def test_a_string_that_never_ends_is_passed_once(raw, reason):
    with pytest.raises(InvalidEvent) as refused:
        limits.read_object(raw)

    assert refused.value.reason == reason
    assert len(limits._STRINGS.findall(raw)) <= raw.count(b":") + raw.count(b",") + 2


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_the_ones_that_the_fast_decoder_reads(number):
    raw = json.dumps({"a": number}).encode()

    fields, _ = limits.read_object(raw)

    assert fields == msgspec.json.decode(raw)


def test_floats_are_never_read_by_the_decoder_that_is_slow_for_large_exponents():
    """One item with 40,000 of them took half a second; the hook uses Python's faster parser."""
    with pytest.raises(InvalidEvent) as refused:
        limits.read_object(b'{"a":[1e308,1e309]}')

    assert refused.value.detail == "a number is outside the range of a double"


# Keys --------------------------------------------------------------------------------


def key_header(name: str, key: str) -> dict[str, str]:
    return {name: f"Bearer {key}" if name == "Authorization" else key}


MALFORMED = {
    "cut off": b'{"batch":[{"type"',
    "no JSON": b"hello",
    "nested": b'{"batch":[' + BROKEN,
    "no gzip": b"\x1f\x8bnot gzip",
    "cut gzip": gzip.compress(b'{"batch":[]}')[:-9],
    "bomb": gzip.compress(b"[" * 60_000_000),
    "members": gzip.compress(b"") * 1000,
    "list": b"[]",
    "empty": b"",
}
WAYS = [
    "/v1/batch",
    "/v1/track",
    "/v1/identify",
    "/v1/events",
    "/v1/phone/calls",
    "/v1/store/scans",
    "/v1/store/batches",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("name", ["X-Write-Key", "Authorization"])
def test_body_with_an_unknown_key_is_not_decompressed(client, path, name):
    for case, body in MALFORMED.items():
        response = client.post(
            path, body, content_type="text/plain", headers=key_header(name, "pk_" + "x" * 32)
        )

        assert (response.status_code, response.json()["code"]) == (401, "unknown_key"), case


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (b"", "no_key"),
        (b',"writeKey":"pk_unknown"', "unknown_key"),
        (b',"writeKey" : "sk_unknown"', "unknown_key"),
        (b',"writeKey":"' + b"x" * 300 + b'"', "no_key"),
        (b',"writeKey":7', "no_key"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_malformed_body_without_a_good_key_is_said_to_have_none(client, path, key, code, pack):
    body = pack(b'{"batch":[[[[[{"type":NaN' + key)

    response = client.post(path, body, content_type="text/plain")

    assert (response.status_code, response.json()["code"]) == (401, code)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/v1/webhooks/shop", "/v1/phone/twilio/shop"])
def test_body_with_a_wrong_signature_is_not_parsed(client, path):
    of, _ = source(is_secret=True)
    of.name, of.webhook_secrets = "shop", ["whsec_c2VjcmV0"]
    of.save()
    for case in ("cut off", "no JSON", "nested", "list", "empty"):
        response = client.post(path, MALFORMED[case], content_type="text/plain")

        assert (response.status_code, response.json()["code"]) == (401, "wrong_signature"), case


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["first", "last", "only in the address"])
def test_a_key_in_the_body_counts_wherever_it_stands(client, where):
    _, key = source()
    events = [track(properties={"writeKey": f"pk_decoy{number}"}) for number in range(30)]
    body = {"batch": events}
    if where == "first":
        body = {"writeKey": key} | body
    elif where == "last":
        body |= {"writeKey": key}
    else:
        body = {"batch": [track()]}
    path = f"/v1/batch?writeKey={key}" if where == "only in the address" else "/v1/batch"

    response = client.post(path, json.dumps(body), content_type="text/plain")

    assert response.status_code == 200
    assert Event.objects.count() == len(body["batch"])


@pytest.mark.django_db(transaction=True)
def test_a_good_key_inside_an_event_does_not_send_for_the_batch(client):
    _, key = source()
    body = {"batch": [track(properties={"writeKey": key})], "writeKey": "pk_unknown"}

    response = client.post("/v1/batch", json.dumps(body), content_type="text/plain")

    assert (response.status_code, response.json()["code"]) == (401, "unknown_key")
    assert not Event.objects.exists()
    assert not QuarantinedItem.objects.exists()


def test_keys_are_looked_for_in_a_bounded_number_of_places():
    body = b",".join(b'"writeKey":"pk_%d"' % number for number in range(100_000))

    keys = authentication._keys_in(body)

    assert len(keys) == 2 * authentication.MAX_KEY_POSITIONS
    assert {"pk_0", "pk_99999"} <= keys


# Packed bodies -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_byte_unpacks_to_so_many_and_no_more(client):
    _, key = source()
    headers = {"X-Write-Key": key}
    dense = gzip.compress(b'{"batch":[' + b"[" * (FOUR_MB - 100))
    assert len(dense) * bodies.MAX_COMPRESSION_RATIO < FOUR_MB

    response = client.post("/v1/batch", dense, content_type="text/plain", headers=headers)

    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.django_db(transaction=True)
def test_ordinary_events_and_small_bodies_are_far_from_too_dense(client):
    _, key = source()
    headers = {"X-Write-Key": key}
    full = [track(context={"page": {"path": "/" * 1200}}) for _ in range(1000)]
    small = [track(properties={"text": "x" * 100_000})]
    for events in (full, small):
        packed = gzip.compress(json.dumps({"batch": events}).encode())

        response = client.post("/v1/batch", packed, content_type="text/plain", headers=headers)

        assert response.status_code == 200
