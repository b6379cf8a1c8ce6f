"""A small HTTP/1.1 client for load tests. It must use less processor time than the server.

The client keeps connections open and never retries. The caller handles failed requests.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Self


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class ConnectionLost(OSError):
    """The connection ended before the response, so the outcome of the request is unknown."""


class Connections:
    """Idle connections to one server, used last in, first out."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _reader, writer in self._idle:
            writer.close()

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await self.send("POST", path, body, headers)

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request and return its answer; raise OSError if there is none."""
        reader, writer = self._idle.pop() if self._idle else await self._connect()
        try:
            writer.write(self._head(method, path, headers, len(body)) + body)
            answer = await _answer(reader)
        except BaseException:
            writer.close()
            raise
        if answer.headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return answer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port)

    def _head(self, method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {length}", "", ""]
        return "\r\n".join(lines).encode()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    status, headers = await read_head(reader)
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, b"".join([chunk async for chunk in read_chunks(reader)]))
    length = int(headers.get("content-length", 0))
    return Answer(status, headers, await _read_exactly(reader, length))


async def read_chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Read a body of unknown length up to its last, empty chunk."""
    while True:
        size = int(await _read_until(reader, b"\r\n"), 16)
        chunk = await _read_exactly(reader, size + 2)
        if not size:
            return
        yield chunk[:-2]


async def _read_exactly(reader: asyncio.StreamReader, length: int) -> bytes:
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise ConnectionLost from error


async def _read_until(reader: asyncio.StreamReader, mark: bytes) -> bytes:
    try:
        return await reader.readuntil(mark)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ConnectionLost from error


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read the head of a response; return the status and the headers by lower-case name."""
    head = await _read_until(reader, b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1.1 "):
        raise ConnectionLost(first)
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split(" ", 2)[1]), {name.lower(): value.strip() for name, _, value in pairs}
