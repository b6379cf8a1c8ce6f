"""Errors of `/v1/` have one shape, a documented code and headers for pages of other origins."""

import gzip
import json
import re
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError

from channels.ingest import load_shedding, views
from channels.ingest.http import EXPOSE_HEADERS
from customers.actions.sources import create_source
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]
ORIGIN = "https://shop.example.com"
TRACK = b'{"userId": "noor", "event": "Ride Entered", "messageId": "m1"}'
LARGE = b'{"batch": ["' + b"x" * (5 * 1024 * 1024) + b'"]}'
MANY = b'{"batch": [' + b",".join([b"{}"] * 2501) + b"]}"


def documented_codes(status: int) -> set[str]:
    """Return the codes that the table of answers in the reference has for a status."""
    page = (ROOT / "docs/reference/wire.md").read_text()
    rows = re.findall(rf"^\| {status} \|([^|]*)\|", page, re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`(\w+)`", row)}


def error_code(response, status: int) -> str:
    """Check status, shape, code and headers of an error response; return its code."""
    body = json.loads(response.content)
    assert response.status_code == status, body
    assert response["Content-Type"] == "application/json"
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["code"] in documented_codes(status)
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert response["Access-Control-Expose-Headers"] == EXPOSE_HEADERS
    assert response["Vary"] == "Origin"
    return body["code"]


@pytest.fixture
def client() -> WsgiClient:
    _, key = create_source(name="shop", channel="web", is_secret=False)
    headers = {"x-write-key": key, "origin": ORIGIN}
    return WsgiClient(raise_request_exception=False, headers=headers)


def post(client: WsgiClient, path: str, body: bytes, **headers: str):
    return client.post(path, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        ("/v1/batch", b"{", {}, 400, "invalid_json"),
        ("/v1/batch", b'{"batch": [{}]}', {"x-strict-mode": "1"}, 400, "invalid_items"),
        ("/v1/batch", b"no gzip", {"content-encoding": "gzip"}, 400, "bad_gzip"),
        ("/v1/track?x=%00", TRACK, {}, 400, "refused"),
        ("/v1/track?" + "a=1&" * 1001, TRACK, {}, 400, "refused"),
        ("/v1/track", TRACK, {"authorization": "Basic"}, 401, "no_key"),
        ("/v1/track", TRACK, {"x-write-key": "pk_unknown"}, 401, "unknown_key"),
        ("/v1/phone/calls", TRACK, {}, 403, "secret_key_needed"),
        ("/v1/nowhere", TRACK, {}, 404, "unknown_route"),
        ("/v1/track%00", TRACK, {}, 404, "unknown_route"),
        ("/v1/phone/nowhere", TRACK, {}, 404, "unknown_route"),
        ("/v1/webhooks/nobody", TRACK, {}, 404, "unknown_source"),
        ("/v1/sms/inbound", TRACK, {}, 404, "no_sms"),
        ("/v1/email/reports", TRACK, {}, 404, "no_reports"),
        ("/v1/batch", LARGE, {}, 413, "too_large"),
        ("/v1/batch", gzip.compress(LARGE), {}, 413, "too_large"),
        ("/v1/batch", MANY, {}, 413, "too_many_events"),
        ("/v1/batch", b"{}", {"content-encoding": "br"}, 415, "unknown_encoding"),
    ],
)
def test_refused_request_has_a_documented_error(client, path, body, headers, status, code):
    assert error_code(post(client, path, body, **headers), status) == code


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/v1/events", "/v1/store/scans"])
def test_wrong_method_has_a_documented_error_that_lists_the_methods(client, path):
    response = client.get(path)

    assert error_code(response, 405) == "wrong_method"
    assert response["Allow"] == "POST, OPTIONS"


def test_unknown_host_has_a_documented_error(client, settings):
    settings.ALLOWED_HOSTS = ["park.example.com"]

    key = client.defaults["HTTP_X_WRITE_KEY"]
    response = client.get(f"/v1/projects/{key}/settings", headers={"host": "evil.example"})

    assert error_code(response, 400) == "refused"


def test_too_many_events_of_a_source_have_a_documented_error(client, settings):
    settings.BUTLER_EVENTS_PER_MINUTE = 1
    body = b'{"batch": [' + TRACK + b", " + TRACK + b"]}"

    response = post(client, "/v1/batch", body)

    assert error_code(response, 429) == "too_many_events"
    assert int(response["Retry-After"]) > 0


def test_too_many_requests_at_once_have_a_documented_error(client, monkeypatch):
    class FullSlots:
        def acquire(self, *, blocking: bool) -> bool:
            return False

    monkeypatch.setattr(load_shedding, "_slots", FullSlots())

    response = post(client, "/v1/track", TRACK)

    assert error_code(response, 503) == "busy"
    assert response["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("noor@example.com"), 500, "failed"),
        (OperationalError("noor@example.com"), 503, "unavailable"),
    ],
)
def test_failure_in_a_view_has_a_documented_error(client, monkeypatch, error, status, code):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(views.store, "store_events", fail)

    response = post(client, "/v1/track", TRACK)

    assert error_code(response, status) == code
    assert b"noor@" not in response.content
    assert status == 500 or int(response["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PermissionDenied("noor@example.com"), 403, "forbidden"),
        (RuntimeError("noor@example.com"), 500, "failed"),
        (OperationalError("noor@example.com"), 503, "unavailable"),
    ],
)
def test_failure_outside_the_views_has_a_documented_error(client, monkeypatch, error, status, code):
    """Django calls the error handlers of config.errors for such an error."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("config.errors._contains_nul", fail)

    response = post(client, "/v1/track", TRACK)

    assert error_code(response, status) == code
    assert b"noor@" not in response.content
