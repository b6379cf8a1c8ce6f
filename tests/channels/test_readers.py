"""If a reader fails on one event, only that event is quarantined, for each input."""

import json
import logging

import pytest

from channels.ingest import cloudevents, segment
from channels.ingest.segment import RequestContext
from channels.store import till_batches
from channels.store.till_batches import TillBatch
from channels.webhook import events as webhooks
from customers.types import IncomingEvent, RejectedItem
from tests.factories import NOON

FRAME = RequestContext(received_at=NOON, is_trusted=True)
TRACK = {"type": "track", "event": "Ride Entered"}


def encoded(event):
    return json.dumps(event).encode()


WAYS = {
    "segment": lambda who: segment.read_event(encoded(TRACK | {"userId": who}), FRAME),
    "written": lambda who: segment.build_or_reject(TRACK | {"userId": who}, FRAME),
    "cloudevents": lambda who: cloudevents.read_event(
        encoded({"specversion": "1.0", "id": "1", "source": "s", "type": "x", "userid": who}),
        FRAME,
    ),
    "webhook": lambda who: webhooks.read_event(
        encoded({"type": "Ride Entered", "data": {"userId": who}}), "msg-1", FRAME
    ),
    "till": lambda who: (
        till_batches.read_scan(
            encoded({"id": "1", "event": "Ride Entered", "card": who}),
            TillBatch("d", 1, None, []),
            FRAME,
        ).event
    ),
}


@pytest.fixture
def _broken_reader(monkeypatch):
    """Raise an unexpected error for one customer."""
    read = segment._spelled_name

    def broken(kind, fields):
        if "mallory" in str(fields):
            return {}["mallory@example.com"]
        return read(kind, fields)

    monkeypatch.setattr(segment, "_spelled_name", broken)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("_broken_reader")
def test_event_that_breaks_a_reader_is_refused_as_unreadable(way, caplog):
    with caplog.at_level(logging.ERROR):
        refused = WAYS[way]("mallory")

    assert isinstance(refused, RejectedItem)
    assert (refused.reason, refused.detail.partition(" ")[0]) == ("unreadable", "KeyError")
    assert b"mallory" in refused.raw
    # The text of an exception may contain an address of a customer.
    assert "mallory@example.com" not in refused.detail + caplog.text
    assert "KeyError" in caplog.text
    assert isinstance(WAYS[way]("noor"), IncomingEvent)
