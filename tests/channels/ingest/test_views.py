"""The acceptance list of the ingest API, point by point, against the running server.

Points 2, 3, 5 and 6 are in test_bodies, 4 in test_keys, 7 in test_poison, 13 with the chaos.
"""

import json

import pytest

from customers.models import Event, QuarantinedItem, Trait
from tests.channels.wire_client import send, send_raw, source, track

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SUCCESS = b'{"success": true}'
KINDS = {
    "track": {"event": "Ride Entered"},
    "identify": {"traits": {"name": "Noor"}},
    "page": {"name": "Home"},
    "screen": {"name": "Map"},
    "group": {"groupId": "g1"},
    "alias": {"previousId": "a1"},
}


# 1. Routes ---------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"], ids=["plain", "slash"])
@pytest.mark.parametrize("route", ["batch", "b", "import"])
def test_a_batch_goes_to_every_route_with_and_without_slash(running, route, slash):
    _, key = source()

    response = send(running.web, f"/v1/{route}{slash}", {"batch": [track()], "writeKey": key})

    assert (response.status, response.body) == (200, SUCCESS)
    assert Event.objects.count() == 1


@pytest.mark.parametrize("slash", ["", "/"], ids=["plain", "slash"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_event_goes_to_both_of_its_routes(running, kind, slash):
    _, key = source()
    for route in (kind, kind[0]):
        event_fields = {"userId": "u1", "writeKey": key, "messageId": route, **KINDS[kind]}

        response = send(running.web, f"/v1/{route}{slash}", event_fields)

        assert (response.status, response.body) == (200, SUCCESS)
    assert [event.kind for event in Event.objects.all()] == [kind, kind]
    assert not any(key in json.dumps(event.body) for event in Event.objects.all())


def test_metrics_of_a_client_are_discarded(running):
    for path in ("/v1/m", "/v1/m/"):
        assert send(running.web, path, {"series": [{"metric": "x"}]}).body == SUCCESS


@pytest.mark.parametrize("slash", ["", "/"], ids=["plain", "slash"])
def test_a_client_learns_where_to_send(running, slash):
    _, key = source()

    response = send(running.web, f"/v1/projects/{key}/settings{slash}", method="GET")

    assert response.status == 200
    segment = response.json["integrations"]["Segment.io"]
    assert segment["apiKey"] == key
    assert running.web == f"{segment['protocol']}://{segment['apiHost'].removesuffix('/v1')}"
    assert segment["httpConfig"]["rateLimitConfig"]["enabled"] is True
    assert response.json["plan"]["track"]["__default"]["enabled"] is True


def test_settings_with_an_unknown_key_are_not_found(running):
    response = send(running.web, "/v1/projects/pk_unknown/settings", method="GET")

    assert response.status == 404
    assert set(response.json) == {"code", "message"}


def test_an_unknown_route_answers_in_the_shape_of_the_wire(running):
    response = send(running.web, "/v1/nothing/here", {})

    assert response.status == 404
    assert set(response.json) == {"code", "message"}


# 8. Browsers -------------------------------------------------------------------------


def test_a_browser_may_send_and_try_again(running):
    headers = {
        "Origin": "https://park.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }

    response = send(running.web, "/v1/t", None, headers, method="OPTIONS")

    assert response.status == 204
    assert response.headers["access-control-allow-origin"] == "https://park.example"
    allowed = response.headers["access-control-allow-headers"]
    assert {"authorization", "content-type", "x-retry-count"} <= set(allowed.split(", "))
    assert response.headers["access-control-max-age"] == "86400"
    assert "POST" in response.headers["access-control-allow-methods"]


def test_a_browser_may_read_errors_and_when_to_come_back(running):
    for path in ("/v1/batch", "/v1/m", "/v1/nothing", "/v1/projects/x/settings"):
        response = send(running.web, path, b"{", {"Origin": "https://park.example"})

        assert response.headers["access-control-allow-origin"] == "https://park.example"
        assert "Retry-After" in response.headers["access-control-expose-headers"]
        assert "origin" in response.headers["vary"].lower()


def test_another_method_is_refused_in_the_shape_of_the_wire(running):
    response = send(running.web, "/v1/batch", method="GET")

    assert response.status == 405
    assert set(response.json) == {"code", "message"}


# 9. Once means once ------------------------------------------------------------------


def test_a_batch_sent_again_changes_nothing(running):
    _, key = source()
    batch = {"batch": [track(), track()], "writeKey": key}

    first = send(running.web, "/v1/batch", batch | {"sentAt": "2026-11-21T12:00:00Z"})
    again = send(
        running.web,
        "/v1/batch",
        batch | {"sentAt": "2026-11-21T12:05:00Z"},
        {"X-Retry-Count": "1"},
    )

    assert (first.counts, again.counts) == ((2, 0, 0), (0, 2, 0))
    assert Event.objects.count() == 2


def test_repeated_message_id_with_other_content_goes_to_quarantine(running):
    _, key = source()
    event = track()
    send(running.web, "/v1/batch", {"batch": [event], "writeKey": key})

    other = send(running.web, "/v1/batch", {"batch": [event | {"event": "x"}], "writeKey": key})

    assert (other.status, other.body, other.counts) == (200, SUCCESS, (0, 0, 1))
    assert QuarantinedItem.objects.get().reason == "other_content"


def test_two_sources_may_use_the_same_id(running):
    event = track()

    for _, key in (source(), source()):
        assert send(running.web, "/v1/t", event | {"writeKey": key}).counts == (1, 0, 0)


# 10., 11. Order and time -------------------------------------------------------------


def test_the_newest_trait_wins_whatever_arrives_last(running):
    _, key = source()
    events = [
        {"type": "identify", "userId": "u1", "messageId": m, "timestamp": t, "traits": traits}
        for m, t, traits in (
            ("2", "2026-11-20T11:00:00Z", {"city": "Utrecht", "gone": None}),
            ("1", "2026-11-20T10:00:00Z", {"city": "Lund", "gone": "x", "empty": ""}),
        )
    ]

    for event in events:
        send(running.web, "/v1/batch", {"batch": [event], "writeKey": key})

    traits = {trait.name: trait.value for trait in Trait.objects.all()}
    assert traits == {"city": "Utrecht", "gone": None, "empty": ""}


def test_within_a_batch_the_order_of_the_list_stands(running):
    _, key = source()
    batch = [track(userId="u1", event=f"Step {n}") for n in range(20)]

    send(running.web, "/v1/batch", {"batch": batch, "writeKey": key})

    names = Event.objects.order_by("version").values_list("name", flat=True)
    assert list(names) == [event["event"] for event in batch]


def test_a_clock_that_is_ahead_is_put_right(running):
    _, key = source()
    event = track(timestamp="2036-11-21T11:59:00Z")
    batch = {"batch": [event], "sentAt": "2036-11-21T12:00:00Z", "writeKey": key}

    send(running.web, "/v1/batch", batch)

    stored = Event.objects.get()
    assert 55 < (stored.received_at - stored.occurred_at).total_seconds() < 65
    assert stored.body["timestamp"] == "2036-11-21T11:59:00Z"


# 12. Alias ---------------------------------------------------------------------------


def test_an_alias_by_a_public_key_is_a_claim(running):
    _, key = source()

    send(running.web, "/v1/alias", {"previousId": "a1", "userId": "u1", "writeKey": key})

    assert [event.evidence for event in Event.objects.all()] == [1]


# Strict mode and other options ------------------------------------------------------


def test_in_strict_mode_a_bad_event_stops_the_batch(running):
    _, key = source()
    batch = {"batch": [track(), {"type": "track"}, track(userId=None)], "writeKey": key}

    response = send(running.web, "/v1/batch", batch, {"X-Strict-Mode": "1"})

    assert response.status == 400
    assert response.json["code"] == "invalid_items"
    assert response.json["items"] == [
        {"index": 1, "reason": "missing_ids"},
        {"index": 2, "reason": "missing_ids"},
    ]
    assert not Event.objects.exists()
    assert not QuarantinedItem.objects.exists()


def test_in_strict_mode_a_good_batch_is_stored(running):
    _, key = source()
    batch = {"batch": [track(), track()], "writeKey": key}

    assert send(running.web, "/v1/batch", batch, {"X-Strict-Mode": "1"}).counts == (2, 0, 0)
    assert Event.objects.count() == 2


def test_the_context_of_the_batch_reaches_every_event(running):
    _, key = source()
    batch = {"batch": [track()], "context": {"ip": "::1"}, "writeKey": key}

    send(running.web, "/v1/batch", batch)

    assert Event.objects.get().body["context"] == {"ip": "::1"}


def test_a_secret_key_in_a_bad_body_does_not_reach_quarantine(running):
    _, key = source(is_secret=True)

    response = send(running.web, "/v1/track", b'{"writeKey":"%b","a":NaN}' % key.encode())

    assert response.counts == (0, 0, 1)
    quarantined = QuarantinedItem.objects.get()
    assert key.encode() not in bytes(quarantined.raw)
    assert quarantined.reason == "not_finite"


# 10. Odd paths -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["//v1/batch", "/v1//batch/", "///v1///b", "//beacon/v1/batch", "/beacon//v1//batch"]
)
def test_doubled_slashes_of_a_client_lose_no_event(running, path):
    _, key = source()

    response = send(running.web, path, {"batch": [track()]}, key=key)

    assert (response.status, response.counts) == (200, (1, 0, 0))


def test_preflight_with_a_doubled_slash_is_answered(running):
    headers = {"Origin": "https://park.example", "Access-Control-Request-Method": "POST"}

    response = send(running.web, "//v1/batch", None, headers, method="OPTIONS")

    assert response.status == 204
    assert response.headers["access-control-allow-origin"] == "https://park.example"


@pytest.mark.parametrize(
    "path", ["//api/me/", "//sign-in/", "/console//", "//example.com/v1/batch"]
)
def test_doubled_slash_outside_the_wire_is_no_page(running, path):
    assert send(running.web, path, method="GET").status == 404


def test_options_of_the_whole_server_names_the_methods(running):
    request = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = send_raw(running.web, request)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 204")
    assert b"allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" in head
    assert body == b""
