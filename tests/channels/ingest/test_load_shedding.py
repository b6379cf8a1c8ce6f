import contextlib
import json
import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
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


RATE = re.compile(r'"events";r=(\d+);t=(\d+)')


@pytest.mark.django_db
def test_each_response_of_a_limited_source_has_its_quota(settings):
    settings.BUTLER_EVENTS_PER_MINUTE = 50
    _, key = source()
    invalid = Client().post(
        "/v1/batch", b'{"batch": [], "writeKey": "unknown"}', content_type="text/plain"
    )

    responses = [post(key, 30), post(key, 15), post(key, 30)]

    quotas = [RATE.fullmatch(response["RateLimit"]) for response in responses]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert [quota and quota[1] for quota in quotas] == ["20", "5", "0"]
    assert all(1 <= int(quota[2]) <= 60 for quota in quotas)
    assert {response["RateLimit-Policy"] for response in responses} == {
        '"events";q=50;qu="events";w=60'
    }
    assert responses[2]["Retry-After"] == quotas[2][2]
    # Nobody knows the source, so no limit applies.
    assert not invalid.has_header("RateLimit")


@pytest.mark.django_db
def test_page_of_another_origin_can_read_the_quota(settings):
    settings.BUTLER_EVENTS_PER_MINUTE = 50
    _, key = source()

    answer = Client(headers={"origin": "https://shop.example.com"}).post(
        "/v1/track", {**track(), "writeKey": key}, content_type="application/json"
    )

    exposed = answer["Access-Control-Expose-Headers"].split(", ")
    assert {"RateLimit", "RateLimit-Policy"} <= set(exposed)


@pytest.mark.parametrize("events", [1, 2])
def test_count_of_a_request_is_one_command_to_redis(settings, monkeypatch, events):
    limit = EventLimit(settings.REDIS_URL)
    limit.count(7, 1, per_minute=1000, now=NOW)
    commands = []
    execute = redis.Redis.execute_command
    monkeypatch.setattr(
        redis.Redis,
        "execute_command",
        lambda self, *arguments, **options: (
            commands.append(arguments[0]) or execute(self, *arguments, **options)
        ),
    )

    # The second count is above the limit.
    with contextlib.suppress(ErrorResponse):
        limit.count(7, events, per_minute=2, now=NOW)

    assert commands == ["EVALSHA"]


def test_new_minute_has_the_whole_quota(settings):
    limit = EventLimit(settings.REDIS_URL)
    moment = datetime(2026, 5, 1, 10, 0, 59, tzinfo=UTC)

    source_id = time.time_ns()
    quotas = [
        limit.count(source_id, 1, per_minute=2, now=moment + timedelta(seconds=seconds))
        for seconds in (0, 1)
    ]

    assert [(quota.remaining, quota.reset_seconds) for quota in quotas] == [(1, 1), (1, 60)]


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
