"""A proxy between a client and the server that does to requests what networks do."""

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

# The faults of successive attempts, repeated without end. Every second attempt succeeds, because
# the clients double their delay after each failure, and a test must be short.
_BAD = ("429", "503", "lost", "doubled", "late", "reset")
FAULTS = tuple(fault for bad in _BAD for fault in (bad, "ok"))


class Answer(NamedTuple):
    status: int
    body: bytes
    retry_after: str | None


_NO = b'{"code":"faulty","message":"the network says no"}'
REFUSALS = {"429": Answer(429, _NO, "1"), "503": Answer(503, _NO, "1")}
# Longer than the clients under test wait for an answer.
LATE = 1.6


class FaultyNetwork:
    """Listens on a port of its own while it is entered; `counts` counts what it did."""

    def __init__(self, upstream: str, plan: Sequence[str] = FAULTS) -> None:
        self.upstream = urlsplit(upstream)
        self.plan = plan
        self.counts: Counter[str] = Counter()
        self._attempts = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        # Leaving waits for the late ones, too: what they deliver counts.
        self._server.daemon_threads = False
        self.url = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next_fault(self) -> str:
        with self._lock:
            fault = self.plan[self._attempts % len(self.plan)]
            self._attempts += 1
            self.counts[fault] += 1
        return fault

    def forward(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        address = self.upstream
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), answer.getheader("Retry-After"))
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    # A connection each, so that no client waits on one that it gave up.
    protocol_version = "HTTP/1.0"

    def __init__(self, network: FaultyNetwork, *args: Any) -> None:
        self.network = network
        super().__init__(*args)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.network.next_fault()
        if fault == "reset":
            return
        if fault in REFUSALS:
            self._answer(REFUSALS[fault])
            return
        if fault == "late":
            time.sleep(LATE)
        answer = self._forward(body)
        if fault == "doubled":
            answer = self._forward(body)
        if fault in ("ok", "doubled"):
            self._answer(answer)

    def _forward(self, body: bytes) -> Answer:
        own = {"host", "connection", "content-length"}
        headers = {name: text for name, text in self.headers.items() if name.lower() not in own}
        return self.network.forward(self.path, body, headers)

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.retry_after:
            self.send_header("Retry-After", answer.retry_after)
        # The client closed the connection after its timeout: another lost acknowledgement.
        with contextlib.suppress(OSError):
            self.end_headers()
            self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Write no log: the counts show the requests."""
