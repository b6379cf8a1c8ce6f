"""Load clients with little overhead: they send prebuilt bytes over open connections."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

# Seconds after which an answer counts as lost.
TIMEOUT = 30.0
# The initial number of connections of an open loop. It opens more if answers are late.
_INITIAL_CONNECTIONS = 32


class BenchmarkFailed(Exception):
    """The measured system failed, so that there is no figure."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def count(self, header: bytes) -> int:
        """Return the whole number in a header; 0 if the header is missing."""
        _, is_present, rest = self.head.lower().partition(b"\r\n" + header.lower() + b":")
        return int(rest.split(b"\r\n", 1)[0]) if is_present else 0


def request(method: str, path: str, *, authorization: str, body: bytes = b"") -> bytes:
    """Return the bytes of a whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: {authorization}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _length(head: bytes) -> int:
    """Return the length of the body after this head."""
    lower = head.lower()
    _, is_present, rest = lower.partition(b"\r\ncontent-length:")
    if is_present:
        return int(rest.split(b"\r\n", 1)[0])
    if lower.split(b" ", 2)[1] in (b"204", b"304"):
        return 0
    raise BenchmarkFailed(f"an answer without a length: {head!r}")


class HttpConnection:
    """One connection, used by one thread."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def send(self, request: bytes) -> Answer:
        """Send the bytes of a request, and return the answer after its whole body arrived."""
        self._socket.sendall(request)
        received = self._rest
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, rest = received.partition(b"\r\n\r\n")
        length = _length(head)
        while len(rest) < length:
            rest += self._more()
        self._rest = rest[length:]
        return Answer(int(head[9:12]), head, rest[:length])

    def _more(self) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise BenchmarkFailed("the server closed the connection")
        return chunk

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """The result of a closed loop, which sends each request after the previous answer."""

    completed: int
    seconds: float
    # The share of one core that the client process used.
    own_cpu: float

    @property
    def rate(self) -> float:
        """The completed requests per second."""
        return self.completed / self.seconds


def run_threads[T](
    work: Sequence[Sequence[T]], process: Callable[[Iterator[T]], int]
) -> ClosedLoop:
    """Run each list of work in a separate thread; all threads start at the same time."""
    counts = [0] * len(work)
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(work) + 1)

    def run(index: int) -> None:
        barrier.wait()
        try:
            counts[index] = process(iter(work[index]))
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(work))]
    for thread in threads:
        thread.start()
    barrier.wait()
    started, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if errors:
        raise errors[0]
    return ClosedLoop(sum(counts), seconds, (time.process_time() - cpu) / seconds)


def closed_loop(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    check: Callable[[Answer], int],
) -> ClosedLoop:
    """Send the requests over this number of connections. `check` returns the count of an answer."""

    def send(batch: Iterator[bytes]) -> int:
        connection = HttpConnection(port)
        try:
            return sum(check(connection.send(request)) for request in batch)
        finally:
            connection.close()

    return run_threads([requests[index::connections] for index in range(connections)], send)


def raise_file_limit() -> None:
    """Raise the limit of open files, because each connection needs one."""
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))


# Open loop -------------------------------------------------------------------------------


class AsyncHttpConnection:
    """One connection of the open loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "AsyncHttpConnection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> Answer:
        """Send the bytes of a request, and return the answer after its whole body arrived."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n"))[:-4]
        body = await self.reader.readexactly(_length(head))
        return Answer(int(head[9:12]), head, body)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@dataclass(slots=True)
class OpenLoop:
    """The result of an open loop, which sends each request at its due time.

    Times are seconds of the monotonic clock. Latencies count from the due time of a request.
    """

    latencies: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    own_cpu: float = 0.0


async def open_loop(
    port: int, requests: Sequence[bytes], *, rate: float, check: Callable[[Answer], int]
) -> OpenLoop:
    """Send the requests at this rate. Result number n belongs to request number n."""
    loop = asyncio.get_running_loop()
    measured = OpenLoop([0.0] * len(requests), [0.0] * len(requests))
    connections = [await AsyncHttpConnection.open(port) for _ in range(_INITIAL_CONNECTIONS)]
    idle = list(connections)
    sending: list[asyncio.Task[None]] = []
    start = loop.time() + 0.05
    cpu = time.process_time()

    async def send(number: int, due_at: float) -> None:
        if not idle:
            connections.append(await AsyncHttpConnection.open(port))
            idle.append(connections[-1])
        connection = idle.pop()
        answer = await asyncio.wait_for(connection.send(requests[number]), TIMEOUT)
        now = loop.time()
        idle.append(connection)
        check(answer)
        measured.latencies[number], measured.answered_at[number] = now - due_at, now

    try:
        for number in range(len(requests)):
            due_at = start + number / rate
            if (wait := due_at - loop.time()) > 0:
                await asyncio.sleep(wait)
            sending.append(asyncio.create_task(send(number, due_at)))
        await asyncio.gather(*sending)
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await asyncio.gather(
            *(connection.close() for connection in connections), return_exceptions=True
        )
    measured.own_cpu = (time.process_time() - cpu) / (loop.time() - start)
    return measured
