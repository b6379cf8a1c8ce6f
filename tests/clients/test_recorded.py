"""Clients that run where no test can: their requests, as their sources write them."""

import base64
import gzip
import json
import uuid

import pytest

from customers.models import Event
from tests.channels.wire_client import send, send_raw, source

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SUCCESS = b'{"success": true}'


def event(library: str, **fields) -> dict:
    return {
        "type": "track",
        "event": "Ride Entered",
        "messageId": str(uuid.uuid4()).upper(),
        "anonymousId": str(uuid.uuid4()),
        "timestamp": "2026-11-20T10:00:00.000Z",
        "integrations": {},
        "properties": {"ride": "comet"},
        "context": {"library": {"name": library, "version": "1.0.0"}, "device": {"id": "d1"}},
        "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
    } | fields


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def test_browser_event_is_accepted_once(running):
    _, key = source()
    sent_event = event("analytics.js", writeKey=key, sentAt="2026-11-20T10:00:01.000Z")
    headers = {"Content-Type": "text/plain", "Authorization": basic(key)}

    answer = send(running.web, "/v1/t", sent_event, headers)
    again = send(
        running.web,
        "/v1/t",
        sent_event | {"sentAt": "2026-11-20T10:05:00.000Z"},
        headers | {"X-Retry-Count": "1"},
    )

    assert (answer.status, answer.body, answer.counts) == (200, SUCCESS, (1, 0, 0))
    assert again.counts == (0, 1, 0)
    assert key not in json.dumps(Event.objects.get().body)


def test_browser_batch_is_accepted(running):
    _, key = source()
    batch = {
        "batch": [event("analytics.js") for _ in range(10)],
        "sentAt": "2026-11-20T10:00:01.000Z",
        "writeKey": key,
    }

    answer = send(running.web, "/v1/b", batch, {"Content-Type": "text/plain"})

    assert (answer.status, answer.counts) == (200, (10, 0, 0))


def test_swift_batch_keeps_its_old_timestamps(running):
    _, key = source()
    events = ",".join(json.dumps(event("analytics-swift")) for _ in range(3))
    body = f'{{ "batch": [{events}],"sentAt":"2026-11-20T10:00:30.000Z","writeKey":"{key}"}}'
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "gzip"}

    answer = send(running.web, "/v1/b", body.encode(), headers)

    assert (answer.status, answer.body, answer.counts) == (200, SUCCESS, (3, 0, 0))
    # The file waited; its times are not moved to the day it came.
    assert {str(stored.occurred_at) for stored in Event.objects.all()} == {
        "2026-11-20 10:00:00+00:00"
    }


def test_kotlin_gzip_batch_in_chunks_is_accepted(running):
    _, key = source()
    batch = {
        "batch": [event("analytics-kotlin") for _ in range(3)],
        "sentAt": "2026-11-20T10:00:30.000Z",
        "writeKey": key,
    }
    body = gzip.compress(json.dumps(batch).encode())
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part)
        for part in (body[start : start + 64] for start in range(0, len(body), 64))
    )

    answer = send_raw(
        running.web,
        b"POST /v1/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\nUser-Agent: analytics-kotlin/1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
    )

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(SUCCESS)
    assert Event.objects.count() == 3


# Release 2.24 of the client sends JSON, older ones text; a retry has the number of its attempt.
REACT_NATIVE_HEADERS = [
    {"Content-Type": "application/json; charset=utf-8"},
    {"Content-Type": "application/json; charset=utf-8", "X-Retry-Count": "1"},
    {"Content-Type": "text/plain"},
]


@pytest.mark.parametrize("headers", REACT_NATIVE_HEADERS)
def test_react_native_reads_settings_and_sends_a_batch(running, headers):
    _, key = source()
    settings = send(running.web, f"/v1/projects/{key}/settings", method="GET")
    batch = {
        "batch": [event("@segment/analytics-react-native") for _ in range(3)],
        "sentAt": "2026-11-20T10:00:30.000Z",
        "writeKey": key,
    }

    # The client puts `/b` behind the host of the settings.
    host = settings.json["integrations"]["Segment.io"]["apiHost"]
    answer = send(running.web, f"/{host.partition('/')[2]}/b", batch, headers)

    assert settings.json["integrations"]["Segment.io"]["apiKey"] == key
    assert (answer.status, answer.counts) == (200, (3, 0, 0))


@pytest.mark.parametrize("path", ["/v1/projects/{key}/settings", "/v1//projects/{key}/settings"])
def test_swift_client_reads_the_settings_that_its_decoder_needs(running, path):
    _, key = source()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "analytics-ios/1.9.1",
        "Accept-Encoding": "gzip",
    }

    answer = send(running.web, path.format(key=key), None, headers, method="GET")

    assert answer.status == 200
    assert {"integrations", "plan", "edgeFunction"} <= answer.json.keys()
    assert answer.json["integrations"]["Segment.io"]["apiHost"].endswith("/v1")
