"""Clients that are not what is measured: prebuilt bytes over connections that stay open."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

# Seconds after which an answer counts as lost.
PATIENCE = 30.0
# Connections an open loop starts with; it opens more when answers are late.
_LINES = 32


class Failed(Exception):
    """The measured side did not do what it was asked to: there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def count(self, header: bytes) -> int:
        """Return a whole number that a header holds; 0 where it is missing."""
        _, found, rest = self.head.lower().partition(b"\r\n" + header.lower() + b":")
        return int(rest.split(b"\r\n", 1)[0]) if found else 0


def request(method: str, path: str, *, authorization: str, body: bytes = b"") -> bytes:
    """Write a request of HTTP/1.1, whole."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: {authorization}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _length(head: bytes) -> int:
    """Return how long the body is that follows this head."""
    lower = head.lower()
    _, found, rest = lower.partition(b"\r\ncontent-length:")
    if found:
        return int(rest.split(b"\r\n", 1)[0])
    if lower.split(b" ", 2)[1] in (b"204", b"304"):
        return 0
    raise Failed(f"an answer without a length: {head!r}")


class Line:
    """One connection, used by one thread."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, request: bytes) -> Answer:
        self._socket.sendall(request)
        data = self._rest
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, rest = data.partition(b"\r\n\r\n")
        length = _length(head)
        while len(rest) < length:
            rest += self._more()
        self._rest = rest[length:]
        return Answer(int(head[9:12]), head, rest[:length])

    def _more(self) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise Failed("the server hung up")
        return chunk

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Closed:
    """What a closed loop did: as fast as answers came."""

    done: int
    seconds: float
    # Of this process, while it ran: the share of one core that the client took.
    own_cpu: float

    @property
    def rate(self) -> float:
        return self.done / self.seconds


def together[T](work: Sequence[Sequence[T]], do: Callable[[Iterator[T]], int]) -> Closed:
    """Run each list of work in a thread of its own, all starting at once."""
    done = [0] * len(work)
    errors: list[BaseException] = []
    gate = threading.Barrier(len(work) + 1)

    def run(place: int) -> None:
        gate.wait()
        try:
            done[place] = do(iter(work[place]))
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    gate.wait()
    started, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if errors:
        raise errors[0]
    return Closed(sum(done), seconds, (time.process_time() - cpu) / seconds)


def closed_loop(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    check: Callable[[Answer], int],
) -> Closed:
    """Send the requests over so many connections; `check` counts what an answer is worth."""

    def send(some: Iterator[bytes]) -> int:
        line = Line(port)
        try:
            return sum(check(line.ask(one)) for one in some)
        finally:
            line.close()

    return together([requests[place::connections] for place in range(connections)], send)


def raise_file_limit() -> None:
    """Every connection is a file, and 1,024 are not enough."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# Open loop -------------------------------------------------------------------------------


class AsyncLine:
    """One connection of the open loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "AsyncLine":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> Answer:
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n"))[:-4]
        body = await self.reader.readexactly(_length(head))
        return Answer(int(head[9:12]), head, body)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@dataclass(slots=True)
class Open:
    """What an open loop saw: requests leave when they are due, however slow answers are.

    Times are seconds of the monotonic clock; latencies count from when a request was due.
    """

    latencies: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    own_cpu: float = 0.0


async def open_loop(
    port: int, requests: Sequence[bytes], *, rate: float, check: Callable[[Answer], int]
) -> Open:
    """Send the requests at this rate; result number n belongs to request number n."""
    loop = asyncio.get_running_loop()
    seen = Open([0.0] * len(requests), [0.0] * len(requests))
    lines = [await AsyncLine.open(port) for _ in range(_LINES)]
    idle = list(lines)
    sending: list[asyncio.Task[None]] = []
    start = loop.time() + 0.05
    cpu = time.process_time()

    async def send(number: int, due: float) -> None:
        if not idle:
            lines.append(await AsyncLine.open(port))
            idle.append(lines[-1])
        line = idle.pop()
        answer = await asyncio.wait_for(line.ask(requests[number]), PATIENCE)
        now = loop.time()
        idle.append(line)
        check(answer)
        seen.latencies[number], seen.answered_at[number] = now - due, now

    try:
        for number in range(len(requests)):
            due = start + number / rate
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            sending.append(asyncio.create_task(send(number, due)))
        await asyncio.gather(*sending)
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await asyncio.gather(*(line.close() for line in lines), return_exceptions=True)
    seen.own_cpu = (time.process_time() - cpu) / (loop.time() - start)
    return seen
