"""Listeners on streams, which store each event with its time."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2


class StreamListener(threading.Thread):
    """A thread that reads one stream until the end of the story."""

    def __init__(self, name: str, url: str, headers: dict[str, str]) -> None:
        super().__init__(name=name, daemon=True)
        self._url = url
        self._headers = headers
        self._events: list[tuple[float, dict[str, Any]]] = []
        self._event_arrived = threading.Condition()
        self.is_open = threading.Event()
        self.problem = ""

    def run(self) -> None:
        """Read the stream until it ends; store an error in `problem` instead of raising it."""
        try:
            with httpx2.stream("GET", self._url, headers=self._headers, timeout=60) as answer:
                if answer.status_code != 200:
                    answer.read()
                    self.problem = f"{answer.status_code} {answer.text[:200]}"
                    return
                for name, payload in _frames(answer.iter_lines()):
                    self._add_event(name, payload)
        except httpx2.HTTPError as error:
            self.problem = f"{type(error).__name__}: {error}"
        finally:
            self.is_open.set()

    def _add_event(self, name: str, payload: str) -> None:
        received_at = time.monotonic()
        if name == "hello":
            self.is_open.set()
            return
        with self._event_arrived:
            self._events.append((received_at, json.loads(payload)))
            self._event_arrived.notify_all()

    def wait_for(
        self, matches: Callable[[dict[str, Any]], bool], *, timeout: float
    ) -> float | None:
        """Return the time of a matching event (time.monotonic), or None after the timeout."""
        deadline = time.monotonic() + timeout
        with self._event_arrived:
            while True:
                for received_at, event in self._events:
                    if matches(event):
                        return received_at
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._event_arrived.wait(remaining):
                    return None


def _frames(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    name, payload = "message", ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            payload = line.removeprefix("data: ")
        elif not line and payload:
            yield name, payload
            name, payload = "message", ""
