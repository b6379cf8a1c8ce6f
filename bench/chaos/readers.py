"""Readers of streams that reconnect after each end, and store all received events."""

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import AsyncIterator
from typing import Any

from bench.chaos.checker import ShownEvent, WatchedLog
from bench.chaos.http import ConnectionLost, read_chunks, read_head


class Reader:
    """Reads the stream of one customer from now on, over any number of connections."""

    def __init__(self, host: str, port: int, key: str, customer_id: str) -> None:
        self.customer_id = customer_id
        self.start_version: int | None = None
        self.events: list[ShownEvent] = []
        self.streams = 0
        self._address = host, port
        self._key = base64.b64encode(f"{key}:".encode()).decode()

    @property
    def version(self) -> int:
        """The version of the last received event, or else the version at which the stream began."""
        return self.events[-1].version if self.events else self.start_version or 0

    def watched_log(self) -> WatchedLog:
        """Return the received events, with the version at which the stream began."""
        return WatchedLog(self.customer_id, self.start_version or 0, self.events)

    async def follow(self) -> None:
        """Read until cancelled, and reconnect after each end of the stream."""
        while True:
            with contextlib.suppress(OSError, ValueError, asyncio.LimitOverrunError):
                async for name, payload in self._stream():
                    self._add_event(name, payload)
            await asyncio.sleep(random.uniform(0.1, 0.5))

    def _add_event(self, name: str, payload: dict[str, Any]) -> None:
        if name == "hello":
            self.start_version = (
                payload["version"] if self.start_version is None else self.start_version
            )
            self.streams += 1
        elif "version" in payload:
            body = payload.get("body") or {}
            owner = body.get("context", {}).get("owner", "")
            self.events.append(ShownEvent(payload["version"], payload.get("message_id", ""), owner))

    async def _stream(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        reader, writer = await asyncio.open_connection(*self._address, limit=2**20)
        try:
            writer.write(self._head())
            status, _ = await read_head(reader)
            if status != 200:
                raise ConnectionLost
            fields: dict[str, str] = {}
            async for line in _lines(reader):
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif "data" in fields:
                    yield fields["event"], json.loads(fields["data"])
                    fields = {}
                else:
                    fields = {}
        finally:
            writer.close()

    def _head(self) -> bytes:
        lines = [
            f"GET /live/customers/{self.customer_id} HTTP/1.1",
            f"Host: {self._address[0]}",
            f"Authorization: Basic {self._key}",
        ]
        if self.start_version is not None:
            lines.append(f"Last-Event-ID: {self.version}")
        return "\r\n".join([*lines, "", ""]).encode()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of a chunked response."""
    rest = b""
    async for chunk in read_chunks(reader):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode()
