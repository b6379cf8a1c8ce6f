"""The time of an event on its way from the wire to the log."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from butler.models import Run
from customers.models import Event, QuarantinedItem
from tests.channels import wire_client

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT_ELEVEN, AT_TEN = "2026-11-21T11:00:00Z", "2026-11-21T10:00:00Z"


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


def post(body, *, path="/v1/batch", is_secret=True, **source):
    _, key = wire_client.source(is_secret=is_secret, **source)
    return Client().post(
        path, body, content_type="application/json", headers={"Authorization": f"Bearer {key}"}
    )


def post_event(**fields):
    return post({"batch": [wire_client.track(**fields)]})


def occurred_at():
    return Event.objects.get().occurred_at


@pytest.mark.parametrize("name", ["timestamp", "originalTimestamp"])
@pytest.mark.parametrize(
    "stated",
    [AT_ELEVEN, "2026-11-21t12:00:00.000+01:00", 1795258800, "1795258800000"],
    ids=repr,
)
def test_each_legal_spelling_is_the_time_of_the_event(name, stated):
    post_event(**{name: stated})

    assert occurred_at() == NOW - HOUR


def test_original_timestamp_replaces_a_timestamp_that_cannot_be_read():
    post_event(timestamp="21/11/2026", originalTimestamp=AT_ELEVEN)

    assert occurred_at() == NOW - HOUR


@pytest.mark.parametrize(
    "times",
    [
        {"timestamp": "21/11/2026 11:00"},
        {"timestamp": "2026-11-21T11:00:00"},
        {"timestamp": 0},
        {"originalTimestamp": "soon"},
        {"timestamp": {}, "originalTimestamp": "soon"},
    ],
    ids=repr,
)
def test_event_with_an_unreadable_time_is_in_quarantine_and_starts_nothing(times):
    response = post_event(event="Order Completed", properties={"order_id": "A-1"}, **times)

    assert response["Butler-Quarantined"] == "1"
    assert QuarantinedItem.objects.get().reason == "unreadable_time"
    assert not Event.objects.exists()
    assert not Run.objects.exists()


def test_unreadable_time_costs_no_other_event_of_the_batch():
    response = post({"batch": [wire_client.track(), wire_client.track(timestamp="soon")]})

    assert (response["Butler-Accepted"], response["Butler-Quarantined"]) == ("1", "1")


@pytest.mark.parametrize("stated", [None, ""], ids=repr)
def test_event_without_a_time_has_the_time_of_its_arrival(stated):
    post_event(timestamp=stated)

    assert occurred_at() == NOW


@pytest.mark.parametrize(
    "sent_at",
    [
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "2019-11-21T11:00:00Z",
        0,
        "0",
        "soon",
        None,
        {},
        -62135596800,
    ],
    ids=repr,
)
@pytest.mark.parametrize("is_secret", [True, False])
def test_implausible_time_of_sending_is_ignored(sent_at, is_secret):
    event = wire_client.track(timestamp=AT_ELEVEN)

    post({"batch": [event], "sentAt": sent_at}, is_secret=is_secret)

    assert occurred_at() == NOW - HOUR


@pytest.mark.parametrize("sent_at", ["2026-11-21T11:00:00Z", 1795258800, "1795258800000"], ids=repr)
def test_slow_clock_is_corrected_for_each_spelling_of_the_time_of_sending(sent_at):
    post({"batch": [wire_client.track(timestamp=AT_TEN)], "sentAt": sent_at})

    assert occurred_at() == NOW - HOUR


ARCHIVED = {
    "timestamp": "2024-05-01T10:00:00Z",
    "originalTimestamp": "2024-05-01T09:59:58Z",
    "sentAt": "2024-05-01T10:00:01Z",
    "receivedAt": "2024-05-01T10:00:03Z",
}
ARCHIVED_AT = datetime(2024, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("is_secret", [True, False])
def test_archived_event_keeps_its_time(is_secret):
    post(wire_client.track(**ARCHIVED), path="/v1/track", is_secret=is_secret)

    assert occurred_at() == ARCHIVED_AT


def test_archived_event_keeps_its_time_without_the_time_of_receiving():
    fields = {name: time for name, time in ARCHIVED.items() if name != "receivedAt"}

    post({"batch": [wire_client.track(**fields)], "sentAt": ARCHIVED["sentAt"]})

    assert occurred_at() == ARCHIVED_AT


def test_import_of_this_morning_keeps_its_times():
    event = wire_client.track(timestamp=AT_TEN)

    post({"batch": [event], "sentAt": AT_ELEVEN}, path="/v1/import")

    assert occurred_at() == NOW - 2 * HOUR


def test_event_that_happened_weeks_after_it_was_sent_is_not_corrected():
    """segmentio/analytics-react-native#977"""
    event = wire_client.track(timestamp="2026-11-18T11:36:12.799Z")

    post({"batch": [event], "sentAt": "2026-11-04T00:08:54.551Z"}, is_secret=False)

    assert occurred_at() == datetime(2026, 11, 18, 11, 36, 12, 799_000, tzinfo=UTC)


@pytest.mark.parametrize("channel", ["till", "store", "kiosk"])
def test_local_time_of_a_till_is_in_the_zone_of_the_company(channel):
    post({"batch": [wire_client.track(timestamp="2026-11-21T12:00:00")]}, channel=channel)

    assert occurred_at() == NOW - HOUR


def test_offline_till_may_send_local_times():
    scan = {"id": "1", "card": "C-7", "at": "2026-11-21T11:30:00"}
    body = {"device": "t-1", "clock": "2026-11-21T12:30:00", "lines": [scan]}

    post(body, path="/v1/store/batches", channel="till")

    # Its clock is half an hour behind.
    assert occurred_at() == NOW - HOUR


def test_time_of_a_cloudevent_that_cannot_be_read_is_in_quarantine():
    event = {"specversion": "1.0", "id": "1", "source": "/desk", "type": "Ride Entered",
             "subject": "card:C-7", "time": "yesterday"}  # fmt: skip

    post(event, path="/v1/events")

    assert QuarantinedItem.objects.get().reason == "unreadable_time"
