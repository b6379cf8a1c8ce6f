import json
import logging
from io import StringIO

import pytest
import structlog

from config.logging import configure

CANARY = "canary.7c1f@example.com"


@pytest.fixture
def lines():
    """Log as in production, into a buffer in memory."""
    root = logging.getLogger()
    before = root.handlers, root.level
    configure({"is_readable": False, "level": "INFO"})
    out = StringIO()
    root.handlers[0].setStream(out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers, level = before[0], before[1]
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.django_db
def test_request_is_logged_in_one_line_with_id_and_route(lines, client):
    answer = client.get("/api/customers/", {"identifier": f"email:{CANARY}"})

    (line,) = [log_line for log_line in lines() if log_line["event"] == "request"]
    assert (line["route"], line["status"], line["method"]) == ("api/customers/", 401, "GET")
    assert line["request_id"] == answer["X-Request-ID"]
    assert line["ms"] >= 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("request_id", "is_taken"),
    [("abcdef0123456789", True), ("short", False), ("x" * 200, False), ("a b c d e f g", False)],
)
def test_valid_request_id_of_a_proxy_is_reused(lines, client, request_id, is_taken):
    answer = client.get("/api/customers/", headers={"x-request-id": request_id})

    assert (answer["X-Request-ID"] == request_id) is is_taken


@pytest.mark.django_db
def test_logs_contain_nothing_of_the_request_body_query_or_headers(lines, client, monkeypatch):
    from customers.api import records

    def breaks(*_, **__):
        raise RuntimeError(f"Key (email)=({CANARY}) already exists")

    monkeypatch.setattr(records.RecordView, "initial", breaks)
    client.raise_request_exception = False

    sent = {"data": f'{{"email": "{CANARY}"}}', "content_type": "application/json"}
    client.post("/api/sign-in/?x=" + CANARY, **sent)
    broken = client.get(f"/api/me/?who={CANARY}", headers={"x-session-token": CANARY})

    written = json.dumps(lines())
    assert broken.status_code == 500
    assert "RuntimeError" in written
    assert "test_logging.py" in written
    assert CANARY not in written


@pytest.mark.django_db
def test_server_error_of_the_api_shows_no_details(client, monkeypatch):
    from customers.api import records

    def breaks(*_, **__):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(records.RecordView, "initial", breaks)
    client.raise_request_exception = False

    answer = client.get("/api/me/")

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert CANARY not in answer.content.decode()


@pytest.mark.django_db
def test_database_outage_of_the_api_answers_503_with_retry_after(client, monkeypatch):
    from django.db import OperationalError

    from customers.api import records

    def away(*_, **__):
        raise OperationalError("gone")

    monkeypatch.setattr(records.RecordView, "initial", away)

    answer = client.get("/api/me/")

    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert int(answer["Retry-After"]) > 0
