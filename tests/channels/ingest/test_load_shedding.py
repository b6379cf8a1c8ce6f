import json
import threading
from datetime import UTC, datetime

import pytest
from django.test import Client

from channels.ingest import load_shedding
from channels.ingest.http import ErrorResponse
from channels.ingest.load_shedding import EventLimit
from customers.models import Event
from tests.channels.wire_client import source, track

NOW = datetime.now(UTC)


def post(key: str, events: int):
    body = json.dumps({"batch": [track() for _ in range(events)], "writeKey": key})
    return Client().post("/v1/batch", body, content_type="text/plain")


@pytest.mark.django_db
def test_events_are_counted_not_requests(settings):
    settings.BUTLER_EVENTS_PER_MINUTE = 50
    _, key = source()

    responses = [post(key, 30), post(key, 30)]

    assert [response.status_code for response in responses] == [200, 429]
    assert set(responses[1].json()) == {"code", "message"}
    assert 1 <= int(responses[1]["Retry-After"]) <= 61
    assert Event.objects.count() == 30


@pytest.mark.django_db
def test_event_limit_applies_per_source(settings):
    settings.BUTLER_EVENTS_PER_MINUTE = 50

    assert [post(source()[1], 40).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.django_db
def test_without_a_limit_nothing_is_counted(settings):
    settings.BUTLER_EVENTS_PER_MINUTE = 0
    _, key = source()

    assert [post(key, 200).status_code for _ in range(3)] == [200, 200, 200]


def test_without_redis_there_is_no_limit_and_no_wait():
    limit = EventLimit("redis://127.0.0.1:1/0")

    for _ in range(1000):
        limit.count(1, 1000, per_minute=1, now=NOW)


@pytest.mark.django_db
def test_when_all_places_are_taken_a_request_is_sent_away():
    _, key = source()
    places = [load_shedding.request_slot() for _ in range(load_shedding.MAX_CONCURRENT_REQUESTS)]
    for place in places:
        place.__enter__()
    try:
        refused = post(key, 1)
    finally:
        for place in places:
            place.__exit__(None, None, None)

    assert refused.status_code == 503
    assert refused["Retry-After"] == "1"
    assert set(refused.json()) == {"code", "message"}
    assert post(key, 1).status_code == 200


def test_request_slot_is_released_after_a_failure():
    for _ in range(load_shedding.MAX_CONCURRENT_REQUESTS * 2):
        with pytest.raises(ZeroDivisionError), load_shedding.request_slot():
            1 / 0  # noqa: B018


def test_places_are_shared_by_all_threads():
    entered, leave = threading.Barrier(load_shedding.MAX_CONCURRENT_REQUESTS + 1), threading.Event()

    def stay():
        with load_shedding.request_slot():
            entered.wait(5)
            leave.wait(5)

    threads = [threading.Thread(target=stay) for _ in range(load_shedding.MAX_CONCURRENT_REQUESTS)]
    for thread in threads:
        thread.start()
    entered.wait(5)
    try:
        with pytest.raises(ErrorResponse), load_shedding.request_slot():
            pass
    finally:
        leave.set()
        for thread in threads:
            thread.join()
