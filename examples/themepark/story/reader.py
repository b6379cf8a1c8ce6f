"""Readers in separate processes, which share no memory with the story."""

import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import NamedTuple, Self

import httpx2


class PageMatch(NamedTuple):
    """The time of the first response with the expected text, and the number of earlier ones."""

    at: float
    stale: int


def poll_page(
    client: httpx2.Client, path: str, expected_text: str, *, timeout: float
) -> PageMatch | None:
    """Read a page until it contains the expected text; return None after the timeout."""
    deadline = time.monotonic() + timeout
    stale = 0
    while time.monotonic() < deadline:
        response = client.get(path)
        if response.status_code == 200 and expected_text in response.text:
            return PageMatch(time.monotonic(), stale)
        stale += 1
        time.sleep(0.02)
    return None


class Reader:
    """A reader in another process: `start_polling` starts a read, `wait_for_match` waits for it."""

    def __init__(self, name: str, base: str, root: str, headers: dict[str, str]) -> None:
        self.name = name
        self._root = root
        # Spawned and not forked, so that it shares no connection and no memory with this process.
        context = multiprocessing.get_context("spawn")
        self._own_end, process_end = context.Pipe()
        self._process = context.Process(
            target=_read, args=(process_end, base, headers), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        # A first read completes the imports and the connection of the process.
        self.start_polling("", "", timeout=20)
        self.wait_for_match()
        return self

    def __exit__(self, *_: object) -> None:
        self._own_end.send(None)
        self._process.join(5)

    def start_polling(self, page: str, expected_text: str, *, timeout: float) -> None:
        """Let the process read a page until it contains the text, for at most `timeout` seconds.

        Returns at once.
        """
        self._own_end.send((self._root + page, expected_text, timeout))

    def wait_for_match(self) -> PageMatch | None:
        """Wait for the end of the polling; return None if the text did not appear."""
        match: PageMatch | None = self._own_end.recv()
        return match


def _read(pipe: Connection, base: str, headers: dict[str, str]) -> None:
    with httpx2.Client(base_url=base, headers=headers, timeout=10) as client:
        while request := pipe.recv():
            path, expected_text, timeout = request
            pipe.send(poll_page(client, path, expected_text, timeout=timeout))
