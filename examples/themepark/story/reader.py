"""Processes of their own that read: what they see, they cannot have from our memory."""

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


class Reader:
    """Somebody who reads in another process: asked first, waited for afterwards."""

    def __init__(self, name: str, base: str, root: str, headers: dict[str, str]) -> None:
        self.name = name
        self._root = root
        # Spawned and not forked: it shares no connection and no memory with us.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_read, args=(theirs, base, headers), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        # The first look makes the process wait for its imports and its connection, not us.
        self.ask("", "", within=20)
        self.answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        self._process.join(5)

    def ask(self, page: str, needle: str, *, within: float) -> None:
        self._ours.send((self._root + page, needle, within))

    def answer(self) -> Seen | None:
        seen: Seen | None = self._ours.recv()
        return seen


def _read(asked: Connection, base: str, headers: dict[str, str]) -> None:
    with httpx2.Client(base_url=base, headers=headers, timeout=10) as client:
        while question := asked.recv():
            path, needle, within = question
            asked.send(look(client, path, needle, within=within))
