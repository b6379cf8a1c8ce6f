"""Readers of streams that come back whenever they are cut off, and remember all they got."""

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import AsyncIterator
from typing import Any

from bench.chaos.checker import Shown, Watched
from bench.chaos.http import Gone, read_chunks, read_head


class Reader:
    """Follows one customer from now on, over any number of streams."""

    def __init__(self, host: str, port: int, key: str, customer_id: str) -> None:
        self.customer_id = customer_id
        self.after: int | None = None
        self.shown: list[Shown] = []
        self.streams = 0
        self._address = host, port
        self._key = base64.b64encode(f"{key}:".encode()).decode()

    @property
    def at(self) -> int:
        return self.shown[-1].version if self.shown else self.after or 0

    def watched(self) -> Watched:
        return Watched(self.customer_id, self.after or 0, self.shown)

    async def follow(self) -> None:
        """Read, for ever, and come back soon after every end."""
        while True:
            with contextlib.suppress(OSError, ValueError, asyncio.LimitOverrunError):
                async for name, data in self._stream():
                    self._note(name, data)
            await asyncio.sleep(random.uniform(0.1, 0.5))

    def _note(self, name: str, data: dict[str, Any]) -> None:
        if name == "hello":
            self.after = data["version"] if self.after is None else self.after
            self.streams += 1
        elif "version" in data:
            body = data.get("body") or {}
            owner = body.get("context", {}).get("owner", "")
            self.shown.append(Shown(data["version"], data.get("message_id", ""), owner))

    async def _stream(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        reader, writer = await asyncio.open_connection(*self._address, limit=2**20)
        try:
            writer.write(self._head())
            status, _ = await read_head(reader)
            if status != 200:
                raise Gone
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
        if self.after is not None:
            lines.append(f"Last-Event-ID: {self.at}")
        return "\r\n".join([*lines, "", ""]).encode()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """Undo the chunks of the answer, and give its lines."""
    rest = b""
    async for chunk in read_chunks(reader):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode()
