"""The answers to a client while Postgres is away, and after a commit with an unknown result."""

import base64
import json
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from customers.models import Event
from tests.channels.live.conftest import make_key

pytestmark = pytest.mark.slow

# Seconds. A request that waits for Postgres without a limit waits for ever.
MAX_WAIT = 25


class Answer(NamedTuple):
    status: int
    headers: Message
    body: dict
    seconds: float


@pytest.fixture
def send(web):
    """Send one event to the web process."""
    token = base64.b64encode(f"{make_key(['ingest', 'identify'])}:".encode()).decode()

    def send(message_id: str = "", path: str = "/v1/track") -> Answer:
        event = {"userId": "noor", "event": "Ride Entered", "messageId": message_id or new_id()}
        request = urllib.request.Request(
            web + path,
            data=json.dumps(event).encode(),
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        started = time.monotonic()
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            body = json.loads(answer.read())
            seconds = time.monotonic() - started
            return Answer(answer.status, answer.headers, body, seconds)

    return send


def new_id() -> str:
    return str(uuid.uuid4())


def test_postgres_outage_answers_503_and_service_recovers(send, proxy):
    assert send().status == 200

    with proxy.outage():
        answers = [send() for _ in range(3)]
    deadline = time.monotonic() + 60
    while (recovered := send()).status != 200:
        assert time.monotonic() < deadline

    for answer in answers:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.seconds < MAX_WAIT
        assert {"code", "message"} <= answer.body.keys()
    assert recovered.headers["Butler-Accepted"] == "1"


@pytest.fixture
def stylesheet(running) -> str:
    """A stylesheet where collectstatic puts them, before the web process starts."""
    folder = Path(running.env["BUTLER_HOME"]) / "static"
    folder.mkdir(exist_ok=True)
    (folder / "page.css").write_text("h1 {}")
    return "/static/page.css"


def test_postgres_outage_shows_an_error_page_with_its_stylesheet(stylesheet, web, proxy):
    headers = {"Accept": "text/html", "Accept-Language": "nl", "Cookie": f"sessionid={'x' * 32}"}
    proxy.down()

    with httpx2.Client(base_url=web, headers=headers, timeout=10) as browser:
        # The first request waits for its timeout; for a while the next ones are refused at once.
        answers = [browser.get("/console/search/") for _ in range(3)]
        answers.append(browser.get("/"))
        style = browser.get(stylesheet)

    for answer in answers:
        assert answer.status_code == 503, answer.text[:300]
        assert int(answer.headers["Retry-After"]) > 0
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Butler is not available" in answers[0].text
    assert "Butler is niet bereikbaar" in answers[-1].text
    assert style.status_code == 200


def test_silent_postgres_answers_503_after_the_timeout(send, proxy):
    assert send().status == 200

    proxy.toxics.is_mute = True
    answer = send()
    proxy.toxics.is_mute = False
    deadline = time.monotonic() + 60
    while send().status != 200:
        assert time.monotonic() < deadline

    assert answer.status == 503
    assert answer.seconds < MAX_WAIT


def test_postgres_outage_answers_many_concurrent_requests(send, proxy):
    """More requests at once than the process has threads, six times over."""
    assert send().status == 200
    proxy.down()

    with ThreadPoolExecutor(24) as executor:
        answers = list(executor.map(lambda _: send(), range(24)))

    assert {answer.status for answer in answers} == {503}
    assert max(answer.seconds for answer in answers) < MAX_WAIT


def test_lost_answer_to_commit_leads_to_exactly_one_event(send, proxy):
    assert send().status == 200
    ids = [new_id() for _ in range(200)]

    for lost_count, message_id in enumerate(ids, start=1):
        proxy.toxics.commits_to_lose = 1
        first = send(message_id)
        assert first.status == 503, first
        assert proxy.toxics.commits_lost == lost_count
        repeated = send(message_id)
        while repeated.status == 503:
            repeated = send(message_id)
        assert repeated.headers["Butler-Duplicates"] == "1", repeated

    stored = list(Event.objects.filter(message_id__in=ids).values_list("message_id", flat=True))
    assert sorted(stored) == sorted(ids)
    versions = Event.objects.order_by("version").values_list("version", flat=True)
    assert list(versions) == list(range(1, 202))
