"""A process of its own that reads as Noor: what it sees, it cannot have from our memory."""

import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import NamedTuple, Self

import httpx2


class Seen(NamedTuple):
    """When an answer with the wanted text had come, and how many answers lacked it before."""

    at: float
    stale: int


def look(client: httpx2.Client, path: str, needle: str, *, within: float) -> Seen | None:
    """Read a page until it has the wanted text; None if it never has."""
    deadline = time.monotonic() + within
    stale = 0
    while time.monotonic() < deadline:
        answer = client.get(path)
        if answer.status_code == 200 and needle in answer.text:
            return Seen(time.monotonic(), stale)
        stale += 1
        time.sleep(0.02)
    return None


class OtherProcess:
    """Asks the process, and waits for what it says."""

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        # Spawned and not forked: it shares no connection and no memory with us.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_read, args=(theirs, base, headers), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.look("/api/me/", "", within=20)
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        self._process.join(5)

    def look(self, path: str, needle: str, *, within: float) -> Seen | None:
        self._ours.send((path, needle, within))
        seen: Seen | None = self._ours.recv()
        return seen


def _read(asked: Connection, base: str, headers: dict[str, str]) -> None:
    with httpx2.Client(base_url=base, headers=headers, timeout=10) as client:
        while question := asked.recv():
            path, needle, within = question
            asked.send(look(client, path, needle, within=within))
