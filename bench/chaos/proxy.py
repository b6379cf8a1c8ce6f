"""A proxy that simulates network faults: delays, silence, cut connections, lost answers.

It forwards connections between a process and a service on this machine, in a separate thread. Tests
change its faults while connections are open.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

# The address of a service: a host and a port, or the path of a Unix socket.
Address = tuple[str, int] | str

# The answer of Postgres to COMMIT. Bodies never contain its zero byte.
COMMITTED = b"COMMIT\x00"


@dataclass
class Toxics:
    """The current faults of the network. Tests can change all of them at any time."""

    # Seconds of delay, in both directions.
    latency: float = 0.0
    # All packets are lost, without an error.
    is_mute: bool = False
    # New connections are refused, open ones are cut.
    is_down: bool = False
    # The number of answers to COMMIT that are lost, although the commit succeeded.
    commits_to_lose: int = 0
    commits_lost: int = 0


class _Cut(Exception):
    """Raised to reset the connection."""


@dataclass
class Proxy:
    """Forwards all data to `upstream`, as far as the toxics allow."""

    upstream: Address
    toxics: Toxics = field(default_factory=Toxics)
    port: int = 0

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    @classmethod
    def in_front_of(cls, url: str) -> "Proxy":
        """Return a proxy in front of the database with this URL."""
        address = urlsplit(url)
        query = parse_qs(address.query)
        if "host" in query:
            return cls(f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}")
        return cls((address.hostname or "127.0.0.1", address.port or 5432))

    def proxied_url(self, url: str) -> str:
        """Return the URL of the database with the address of this proxy."""
        address = urlsplit(url)
        user = address.netloc.rpartition("@")[0]
        return f"postgres://{user}@127.0.0.1:{self.port}{address.path}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._started.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def down(self) -> None:
        """Refuse new connections and reset the open ones."""
        self.toxics.is_down = True
        self._call(self._cut_all())

    def reset(self) -> None:
        """Reset all open connections once."""
        self._call(self._cut_all())

    def heal(self) -> None:
        """Remove all faults. Lost data stays lost."""
        self.toxics = Toxics(commits_lost=self.toxics.commits_lost)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """Refuse connections during the block. Then remove all faults, also after an error."""
        self.down()
        try:
            yield
        finally:
            self.heal()

    # In the thread ---------------------------------------------------------------------

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._started.set()
        self._loop.run_forever()
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        await self._cut_all()

    async def _cut_all(self) -> None:
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if not self.toxics.is_down:
                await self._pass_on(reader, writer)
        except (OSError, asyncio.CancelledError, _Cut):
            _reset(writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _connected(self.upstream) as (their_reader, their_writer):
            requests = asyncio.create_task(self._pump(reader, their_writer))
            responses = asyncio.create_task(self._pump(their_reader, writer, self._drop_commit))
            try:
                finished, _ = await asyncio.wait(
                    {requests, responses}, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                requests.cancel()
                responses.cancel()
            for task in finished:
                task.result()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        inspect: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        while chunk := await reader.read(65536):
            inspect(chunk)
            if self.toxics.latency:
                await asyncio.sleep(self.toxics.latency)
            # Another thread changes the toxics, so an event of the loop cannot be used.
            while self.toxics.is_mute:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            writer.write(chunk)
            await writer.drain()

    def _drop_commit(self, chunk: bytes) -> None:
        if self.toxics.commits_to_lose and COMMITTED in chunk:
            self.toxics.commits_to_lose -= 1
            self.toxics.commits_lost += 1
            raise _Cut


@contextlib.asynccontextmanager
async def _connected(
    upstream: Address,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    if isinstance(upstream, str):
        reader, writer = await asyncio.open_unix_connection(upstream)
    else:
        reader, writer = await asyncio.open_connection(*upstream)
    try:
        yield reader, writer
    finally:
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
