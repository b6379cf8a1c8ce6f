"""Open streams that remember when they heard of what."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2


class Ear(threading.Thread):
    """Listens to one stream until the end of the story."""

    def __init__(self, name: str, url: str, headers: dict[str, str]) -> None:
        super().__init__(name=name, daemon=True)
        self._url = url
        self._headers = headers
        self._heard: list[tuple[float, dict[str, Any]]] = []
        self._news = threading.Condition()
        self.is_open = threading.Event()
        self.problem = ""

    def run(self) -> None:
        try:
            with httpx2.stream("GET", self._url, headers=self._headers, timeout=60) as answer:
                if answer.status_code != 200:
                    answer.read()
                    self.problem = f"{answer.status_code} {answer.text[:200]}"
                    return
                for name, data in _frames(answer.iter_lines()):
                    self._take(name, data)
        except httpx2.HTTPError as error:
            self.problem = f"{type(error).__name__}: {error}"
        finally:
            self.is_open.set()

    def _take(self, name: str, data: str) -> None:
        at = time.monotonic()
        if name == "hello":
            self.is_open.set()
            return
        with self._news:
            self._heard.append((at, json.loads(data)))
            self._news.notify_all()

    def when(self, is_it: Callable[[dict[str, Any]], bool], *, within: float) -> float | None:
        """Return when it was heard, on time.monotonic's clock; None if not within so long."""
        deadline = time.monotonic() + within
        with self._news:
            while True:
                for at, event in self._heard:
                    if is_it(event):
                        return at
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    return None


def _frames(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    name, data = "message", ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = line.removeprefix("data: ")
        elif not line and data:
            yield name, data
            name, data = "message", ""
