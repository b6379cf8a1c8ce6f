import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest import batches
from channels.ingest.batches import MAX_EVENTS, TooManyEvents
from channels.ingest.tolerant_json import InvalidBatch

GOOD = b'{"messageId":"good"}'


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b'{"a":NaN}', id="nan"),
        pytest.param(b'{"a":"\xff"}', id="not-utf8"),
        pytest.param(b'{"a":"\\ud800"}', id="lone-surrogate"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="5000-digits"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="100000-deep"),
        pytest.param(b"{'a':1}", id="single-quotes"),
        pytest.param(b'{"a" 1}', id="no-colon"),
        pytest.param(b'{"batch":[]}', id="a-key-called-batch"),
        pytest.param(b'"text, with ] and }"', id="text"),
        pytest.param(b"undefined", id="a-word"),
    ],
)
def test_invalid_item_affects_no_other_of_the_batch(bad):
    body = b'{"batch":[%b,%b , %b],"writeKey":"pk_1","sentAt":"s"}' % (GOOD, bad, GOOD)

    opened = batches.parse_batch(body)

    assert opened.raw_events == [GOOD, bad, GOOD]
    assert (opened.write_key, opened.sent_at) == ("pk_1", "s")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"batch=[]", id="form"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="no-batch"),
        pytest.param(b'{"batch":{}}', id="batch-is-an-object"),
        pytest.param(b'{"batch":null}', id="batch-is-null"),
        pytest.param(b'{"batch":[{', id="cut-off"),
        pytest.param(b'{"batch":[{"a":"b', id="cut-off-in-a-string"),
        pytest.param(b'{"batch":[]}}', id="one-bracket-more-and-no-event"),
        pytest.param(b'{"batch":[{}],"batch":[{}]}', id="two-batches"),
        pytest.param(b'{"batch":' + b"[" * 1_000_000, id="brackets-only"),
    ],
)
def test_invalid_batch_raises(body):
    with pytest.raises(InvalidBatch):
        batches.parse_batch(body)


def test_a_batch_may_be_empty_and_begin_with_a_byte_order_mark():
    assert batches.parse_batch(b'\xef\xbb\xbf {"batch":[]} ').raw_events == []


def test_batch_keeps_its_context_and_integrations():
    body = b'{"batch":[{}],"context":{"ip":"::1"},"integrations":{"All":true},"writeKey":7}'

    opened = batches.parse_batch(body)

    assert opened.context == {"ip": "::1"}
    assert opened.integrations == {"All": True}
    assert opened.write_key == ""


@pytest.mark.parametrize("more", [b"", b",NaN"], ids=["json", "salvaged"])
def test_more_items_than_a_request_may_carry_are_too_many(more):
    with pytest.raises(TooManyEvents):
        batches.parse_batch(b'{"batch":[' + b",".join([b"{}"] * (MAX_EVENTS + 1)) + more + b"]}")


EVENT = st.dictionaries(st.text(max_size=6), st.text(max_size=6) | st.integers(), max_size=4)


@given(st.lists(EVENT, max_size=6), st.booleans())
def test_the_slow_way_gives_the_same_as_the_fast_one(items, ascii_only):
    raws = [json.dumps(event, ensure_ascii=ascii_only).encode() for event in items]
    body = b'{"writeKey":"k","batch":[' + b" , ".join(raws) + b"]"

    fast = batches.parse_batch(body + b"}")
    slow = batches.parse_batch(body + b',"odd":NaN}')

    assert fast == slow
    assert fast.raw_events == raws


@given(st.text(alphabet='{}[]",:\\abtch ', max_size=60))
def test_any_body_is_parsed_or_raises_invalid_batch(text):
    for body in (text, '{"batch":[' + text + "]}", '{"batch"' + text):
        try:
            batches.parse_batch(body.encode())
        except InvalidBatch:
            continue
