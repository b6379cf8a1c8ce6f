import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.live import frames

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def row(**fields) -> frames.EventRow:
    facts = {
        "version": 7,
        "kind": "track",
        "name": "Ride Entered",
        "about": "",
        "evidence": 1,
        "actor": "",
        "message_id": "m-1",
        "occurred_at": NOON,
        "recorded_at": NOON,
        "channel": "app",
        "body": b'{"properties": {"ride": "Comet"}}',
        "is_ours": True,
    }
    return frames.EventRow(**facts | fields)


def fields(frame: bytes) -> dict[str, str]:
    """Parse a frame by the standard: an empty line ends it, and each line has one field."""
    text = frame.decode()
    assert text.endswith("\n\n")
    lines = text.removesuffix("\n\n").split("\n")
    assert "" not in lines
    return dict(line.split(": ", 1) for line in lines)


def test_an_event_is_shown_with_its_place_and_its_body():
    shown = fields(frames.event_frame(row()))

    assert shown["id"] == "7"
    assert shown["event"] == "Ride Entered"
    assert json.loads(shown["data"]) == {
        "version": 7,
        "kind": "track",
        "name": "Ride Entered",
        "about": "",
        "occurred_at": "2026-11-21T12:00:00Z",
        "recorded_at": "2026-11-21T12:00:00Z",
        "channel": "app",
        "evidence": 1,
        "actor": "",
        "message_id": "m-1",
        "body": {"properties": {"ride": "Comet"}},
    }


def test_an_event_of_somebody_else_keeps_only_its_place():
    moved = frames.event_frame(row(is_ours=False, name="Secret", body=b'{"secret": 1}'))

    assert fields(moved) == {
        "id": "7",
        "event": "moved",
        "data": '{"version":7,"kind":"moved"}',
    }


@pytest.mark.parametrize("name", sorted(frames.RESERVED_NAMES))
def test_event_with_a_reserved_name_gets_a_prefix(name):
    assert frames.event_name("track", name) == f"track:{name}"


def test_an_event_without_a_name_is_called_after_its_kind():
    assert frames.event_name("identify", "") == "identify"


@given(st.text().filter(lambda text: text.isprintable() or True))
def test_no_name_can_break_out_of_its_line(name):
    try:
        name.encode()
    except UnicodeEncodeError:
        return

    frame = frames.event_frame(row(name=name))

    assert set(fields(frame)) == {"id", "event", "data"}
    assert b"\r" not in frame


def test_a_reader_without_a_position_is_given_one():
    assert fields(frames.hello_frame(customer_id="c", version=3, position=3, retry=1))["id"] == "3"
    assert "id" not in fields(
        frames.hello_frame(customer_id="c", version=3, position=None, retry=1)
    )
