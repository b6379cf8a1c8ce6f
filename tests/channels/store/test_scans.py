import json
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest.limits import InvalidEvent
from channels.ingest.segment import RequestContext
from channels.ingest.tolerant_json import InvalidBatch
from channels.store import scans, till_batches
from channels.store.gate_sentence import gate_sentence
from customers.identity.lookup import Match
from customers.queries.visits import Visit
from customers.types import IncomingEvent, RejectedItem

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
FRAME = RequestContext(NOW, is_trusted=True)


def opened(*raw_lines, **facts):
    facts = {"device": "till-3", "sequence": 1, "clock": NOW.isoformat()} | facts
    body = json.dumps(facts)[:-1].encode()
    return till_batches.parse_batch(body + b',"lines":[' + b",".join(raw_lines) + b"]}")


def read(line, **facts):
    batch = opened(json.dumps(line).encode(), **facts)
    return till_batches.read_scan(batch.raw_scans[0], batch, FRAME)


@pytest.mark.parametrize(
    ("scan", "name", "identifier", "about"),
    [
        pytest.param({"card": "LK1"}, "Card Scanned", ("card", "LK1"), "", id="card"),
        pytest.param(
            {"order": "A-1"}, "Order Looked Up", ("order", "A-1"), "order:A-1", id="order"
        ),
        pytest.param(
            {"phone": "+31612345678"},
            "Customer Looked Up",
            ("phone", "+31612345678"),
            "",
            id="phone",
        ),
    ],
)
def test_a_scan_becomes_an_event(scan, name, identifier, about):
    line = read({"id": "1", "at": "2026-11-20T10:00:00Z", "staff": "iris", "till": "t1"} | scan)

    assert line.id == "1"
    assert isinstance(line.event, IncomingEvent)
    assert (line.event.name, line.event.about) == (name, about)
    assert line.event.identifiers == (identifier,)
    assert line.event.message_id == "till-3:1"
    assert line.event.actor == "staff:iris"
    assert line.event.occurred_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_a_line_may_say_what_happened_itself():
    line = read(
        {"id": 7, "event": "Product Bought", "card": "LK1", "properties": {"product": "scarf"}}
    )

    assert isinstance(line.event, IncomingEvent)
    assert (line.event.name, line.event.message_id) == ("Product Bought", "till-3:7")
    assert line.event.identifiers == (("card", "LK1"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param({"card": "LK1"}, "missing_id", id="no-id"),
        pytest.param({"id": "1"}, "wrong_scan", id="nothing-scanned"),
        pytest.param({"id": "1", "card": "a", "phone": "b"}, "wrong_scan", id="two-things"),
        pytest.param({"id": "1", "card": ["a"]}, "wrong_type", id="card-is-a-list"),
        pytest.param({"id": "1", "card": "a" * 129}, "wrong_type", id="long-card"),
        pytest.param({"id": "x" * 99, "card": "a"}, "message_id_too_long", id="long-id"),
        pytest.param({"id": "1", "event": "x", "properties": 5}, "wrong_type", id="properties"),
        pytest.param({"id": "1", "event": {}, "card": "a"}, "wrong_type", id="event-is-an-object"),
        pytest.param({"id": "1", "event": "x"}, "missing_ids", id="about-nobody"),
        pytest.param(5, "not_an_object", id="number"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(line, reason):
    rejected = read(line).event

    assert isinstance(rejected, RejectedItem)
    assert rejected.reason == reason


def test_a_line_is_the_same_in_another_batch_and_by_another_clock():
    line = {"id": "1", "card": "LK1", "at": "2026-11-20T10:00:00Z"}

    first, second = read(line, sequence=1).event, read(line, sequence=9, clock=None).event

    assert first.body_hash == second.body_hash
    assert first.message_id == second.message_id


def test_a_line_that_no_decoder_takes_costs_no_other():
    batch = opened(b'{"id":"1","card":"LK1"}', b'{"id":NaN}', b'{"id":"2","card":"\xff"}')

    items = [till_batches.read_scan(raw, batch, FRAME).event for raw in batch.raw_scans]

    assert [type(incoming) for incoming in items] == [IncomingEvent, RejectedItem, RejectedItem]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"device":"till-3"}',
        b'{"lines":[]}',
        b'{"device":5,"lines":[]}',
        b'{"device":"","lines":[]}',
        b'{"device":"till-3","lines":{}}',
        b'{"device":"till-3","lines":[{',
        b'{"device":"till-3","lines":[' + b"{}," * 1001 + b"{}]}",
    ],
)
def test_invalid_till_batch_raises(body):
    with pytest.raises(InvalidBatch):
        till_batches.parse_batch(body)


VALUE = st.none() | st.text(max_size=6) | st.integers() | st.lists(st.integers(), max_size=2)
FIELDS = st.sampled_from(
    ["id", "card", "code", "phone", "event", "properties", "at", "staff", "till", "note"]
)


@given(st.dictionaries(FIELDS, VALUE, max_size=6))
def test_no_values_make_it_fail(line):
    assert isinstance(read(line).event, IncomingEvent | RejectedItem | scans.RawScan)


def match(name="Noor"):
    return Match(UUID(int=1), 5, name, True, True)


@pytest.mark.parametrize(
    ("visit", "line"),
    [
        pytest.param(None, "Noor: no visit ahead", id="none"),
        pytest.param(
            Visit("A-1", "placed", TODAY, time(11, 30)),
            "Noor: today at 11:30, order A-1",
            id="today",
        ),
        pytest.param(
            Visit("A-1", "amended", TODAY + timedelta(days=1), None),
            "Noor: comes on 22 November 2026, order A-1",
            id="tomorrow",
        ),
        pytest.param(
            Visit("A-1", "placed", TODAY - timedelta(days=1), None),
            "Noor: was due on 20 November 2026, order A-1",
            id="yesterday",
        ),
        pytest.param(
            Visit("A-1", "cancelled", TODAY, None), "Noor: order A-1 was cancelled", id="cancelled"
        ),
        pytest.param(Visit("A-1", "placed", None, None), "Noor: order A-1, no date", id="no-date"),
    ],
)
def test_a_till_reads_one_line(visit, line):
    assert gate_sentence(match(), visit, today=TODAY).line == line


def test_customer_without_a_name_is_called_guest():
    assert gate_sentence(match(None), None, today=TODAY).line.startswith("A guest without a name")


def test_a_scan_is_of_one_thing():
    with pytest.raises(InvalidEvent):
        scans.scanned_identifier({})
