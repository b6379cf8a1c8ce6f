"""Read a stream over plain HTTP, line by line in a thread, as a browser does."""

import base64
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit


class Frame(NamedTuple):
    name: str
    payload: dict
    id: int | None


def by_key(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


class Reader:
    """One open stream, or the error response instead of a stream."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        address = urlsplit(url)
        self.connection = http.client.HTTPConnection(address.netloc, timeout=30)
        path = f"{address.path}?{address.query}" if address.query else address.path
        self.connection.request("GET", path, headers=headers or {})
        # The connection drops its reference to the socket at the end of a response.
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.frames: list[Frame] = []
        self.comments = 0
        self.retry: int | None = None
        self.has_ended = False
        self._news = threading.Condition()
        if self.status == 200:
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.status == 200:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(5)
        self.answer.close()
        self.connection.close()

    @property
    def problem(self) -> dict:
        return json.loads(self.answer.read())

    @property
    def events(self) -> list[Frame]:
        """Return the frames of events, without hello, joined and ended."""
        return [f for f in self.frames if "version" in f.payload and f.name != "hello"]

    @property
    def versions(self) -> list[int]:
        return [frame.payload["version"] for frame in self.events]

    @property
    def names(self) -> list[str]:
        return [frame.name for frame in self.frames]

    def wait(self, until: Callable[["Reader"], object], seconds: float = 30) -> "Reader":
        """Wait until a condition is true. Raises AssertionError with the last frames."""
        with self._news:
            if not self._news.wait_for(lambda: until(self), seconds):
                raise AssertionError(f"not within {seconds} s; came: {self.frames[-5:]}")
        return self

    def wait_for_end(self, seconds: float = 30) -> None:
        """Wait for the end of the stream."""
        self.wait(lambda r: r.has_ended, seconds)

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                else:
                    self._dispatch(fields)
                    fields = {}
        except (OSError, ValueError, http.client.HTTPException):
            pass
        with self._news:
            self.has_ended = True
            self._news.notify_all()

    def _dispatch(self, fields: dict[str, str]) -> None:
        with self._news:
            self.comments += "" in fields
            if "retry" in fields:
                self.retry = int(fields["retry"])
            if "data" in fields:
                at = int(fields["id"]) if "id" in fields else None
                self.frames.append(Frame(fields["event"], json.loads(fields["data"]), at))
            self._news.notify_all()
