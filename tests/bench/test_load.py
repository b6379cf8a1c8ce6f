"""The clients of the benchmarks, against a real server."""

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench import load
from bench.load import Answer


class _Handler(BaseHTTPRequestHandler):
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
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _post(body: bytes) -> bytes:
    return load.request("POST", "/", authorization="Bearer key", body=body)


def _count_accepted(answer: Answer) -> int:
    if answer.status != 200:
        raise load.BenchmarkFailed("not accepted")
    return answer.count(b"butler-accepted")


def test_closed_loop_sums_the_counts_of_its_answers(server):
    loop = load.closed_loop(
        server.server_port, [_post(b"abc")] * 7, connections=3, check=_count_accepted
    )

    assert loop.completed == 21
    assert loop.rate == pytest.approx(21 / loop.seconds)


def test_one_failed_answer_fails_the_measurement(server):
    with pytest.raises(load.BenchmarkFailed):
        load.closed_loop(
            server.server_port, [_post(b"abc"), _post(b"bad")], connections=2, check=_count_accepted
        )


def test_open_loop_measures_latency_from_when_a_request_was_due(server, monkeypatch):
    """A server that takes 50 ms is asked every 10 ms all the same, over more lines."""
    monkeypatch.setattr(_Handler, "pause", 0.05)

    loop = asyncio.run(
        load.open_loop(server.server_port, [_post(b"abc")] * 20, rate=100, check=_count_accepted)
    )

    assert len(loop.latencies) == 20
    assert min(loop.latencies) >= 0.05
    assert max(loop.answered_at) - min(loop.answered_at) < 20 * 0.05


def test_open_loop_fails_on_a_failed_answer(server):
    with pytest.raises(load.BenchmarkFailed):
        asyncio.run(
            load.open_loop(server.server_port, [_post(b"bad")], rate=100, check=_count_accepted)
        )


def test_missing_header_counts_zero():
    assert Answer(200, b"HTTP/1.1 200 OK\r\nother: 3", b"").count(b"butler-accepted") == 0
