"""What the benchmarks send is what the wire takes for whole, valid events."""

import json
from datetime import UTC, datetime
from uuid import uuid4

from bench.bodies import Context, Guest, Writer
from channels.ingest import envelope, segment
from channels.ingest.segment import Frame
from customers.types import IncomingEvent

GUESTS = [Guest(f"guest-{number}", uuid4(), number, number % 2 == 0) for number in range(50)]
CONTEXT = Context(None, "sk_key", 7, GUESTS)
FRAME = Frame(received_at=datetime.now(UTC), is_trusted=True)


def test_every_event_is_one_that_the_wire_takes():
    events = Writer(CONTEXT, "test").batch()

    items = [segment.read(event, FRAME) for event in events]

    assert all(isinstance(item, IncomingEvent) for item in items)


def test_a_request_holds_its_batch_whole():
    writer = Writer(CONTEXT, "test")
    events = writer.batch()

    body = writer.post(events).partition(b"\r\n\r\n")[2]

    assert envelope.open_batch(body).items == events


def test_two_writers_of_the_same_name_never_write_the_same_message():
    writers = [Writer(CONTEXT, "test"), Writer(CONTEXT, "test")]

    ids = [json.loads(event)["messageId"] for one in writers for event in one.batch()]

    assert len(set(ids)) == 200


def test_some_events_identify_and_a_few_are_of_somebody_new():
    writer = Writer(CONTEXT, "test")

    events = [json.loads(writer.event()) for _ in range(5000)]

    new = sum(event["userId"].startswith("new-") for event in events)
    identify = sum(event["type"] == "identify" for event in events)
    assert 50 < new < 160
    assert 250 < identify < 460


def test_a_guest_who_is_named_is_the_one_who_did_it():
    events = [json.loads(Writer(CONTEXT, "test").event(GUESTS[3])) for _ in range(200)]

    assert {event["userId"] for event in events} == {"guest-3"}
