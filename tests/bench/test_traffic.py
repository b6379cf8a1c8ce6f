"""`/v1/` accepts the events of the benchmarks as complete and valid."""

import json
from datetime import UTC, datetime
from uuid import uuid4

from bench.traffic import EventWriter, Guest, Target
from channels.ingest import batches, segment
from channels.ingest.segment import RequestContext
from customers.types import IncomingEvent

GUESTS = [Guest(f"guest-{number}", uuid4(), number, number % 2 == 0) for number in range(50)]
TARGET = Target(None, "sk_key", 7, GUESTS)
FRAME = RequestContext(received_at=datetime.now(UTC), is_trusted=True)


def test_every_event_is_valid_for_ingest():
    events = EventWriter(TARGET, "test").batch()

    parsed = [segment.read_event(event, FRAME) for event in events]

    assert all(isinstance(event_item, IncomingEvent) for event_item in parsed)


def test_batch_request_holds_every_event():
    writer = EventWriter(TARGET, "test")
    events = writer.batch()

    body = writer.batch_request(events).partition(b"\r\n\r\n")[2]

    assert batches.parse_batch(body).raw_events == events


def test_two_writers_of_the_same_name_write_different_message_ids():
    writers = [EventWriter(TARGET, "test"), EventWriter(TARGET, "test")]

    ids = [json.loads(event)["messageId"] for writer in writers for event in writer.batch()]

    assert len(set(ids)) == 200


def test_events_have_the_shares_of_identify_and_of_new_customers():
    writer = EventWriter(TARGET, "test")

    events = [json.loads(writer.event()) for _ in range(5000)]

    new = sum(event["userId"].startswith("new-") for event in events)
    identify = sum(event["type"] == "identify" for event in events)
    assert 50 < new < 160
    assert 250 < identify < 460


def test_event_of_a_chosen_guest_names_that_guest():
    events = [json.loads(EventWriter(TARGET, "test").event(GUESTS[3])) for _ in range(200)]

    assert {event["userId"] for event in events} == {"guest-3"}
