"""The clients of the benchmarks, against a real server."""

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench import load
from bench.load import Answer


class _Shop(BaseHTTPRequestHandler):
    """Answers each POST after a pause, with what it was given in a header."""

    protocol_version = "HTTP/1.1"
    pause = 0.0

    def do_POST(self) -> None:
        time.sleep(self.pause)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500 if body == b"bad" else 200)
        self.send_header("Butler-Accepted", str(len(body)))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _post(body: bytes) -> bytes:
    return load.request("POST", "/", authorization="Bearer key", body=body)


def _worth(answer: Answer) -> int:
    if answer.status != 200:
        raise load.Failed("not accepted")
    return answer.count(b"butler-accepted")


def test_a_closed_loop_counts_what_answers_say(shop):
    done = load.closed_loop(shop.server_port, [_post(b"abc")] * 7, connections=3, check=_worth)

    assert done.done == 21
    assert done.rate == pytest.approx(21 / done.seconds)


def test_one_bad_answer_spoils_the_whole_measurement(shop):
    with pytest.raises(load.Failed):
        load.closed_loop(
            shop.server_port, [_post(b"abc"), _post(b"bad")], connections=2, check=_worth
        )


def test_an_open_loop_counts_from_when_a_request_was_due(shop, monkeypatch):
    """A server that takes 50 ms is asked every 10 ms all the same, over more lines."""
    monkeypatch.setattr(_Shop, "pause", 0.05)

    seen = asyncio.run(
        load.open_loop(shop.server_port, [_post(b"abc")] * 20, rate=100, check=_worth)
    )

    assert len(seen.latencies) == 20
    assert min(seen.latencies) >= 0.05
    assert max(seen.answered_at) - min(seen.answered_at) < 20 * 0.05


def test_an_open_loop_fails_on_a_bad_answer(shop):
    with pytest.raises(load.Failed):
        asyncio.run(load.open_loop(shop.server_port, [_post(b"bad")], rate=100, check=_worth))


def test_a_missing_header_counts_nothing():
    assert Answer(200, b"HTTP/1.1 200 OK\r\nother: 3", b"").count(b"butler-accepted") == 0
