"""Measures the time from an acknowledged event to the open streams, and their memory."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bench import bare, load, servers, traffic
from bench.figures import Figure, percentile, tidy
from bench.servers import Server
from bench.testbed import Testbed
from bench.traffic import EventWriter, Guest

# Seconds within which the last events have to arrive.
TIMEOUT = 10.0
# Connections that are opened concurrently.
_CONCURRENT_CONNECTIONS = 100

_RECEIVED_ID = re.compile(rb'"message_id":"([^"]+)"')
_SENT_ID = re.compile(rb'"messageId": "([^"]+)"')


@dataclass(slots=True)
class StreamClients:
    """Open streams, with the arrival time of each message in monotonic seconds."""

    received_at: dict[bytes, float] = field(default_factory=dict)
    duplicates: int = 0
    message_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    readers: list[asyncio.Task[None]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def open_stream(self, port: int, customer: UUID, key: str) -> None:
        """Open one stream, wait for its hello, and read it in the background."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        path = f"/live/customers/{customer}"
        writer.write(load.request("GET", path, authorization=f"Bearer {key}"))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise load.BenchmarkFailed(f"no stream: {head!r}")
        await reader.readuntil(b"event: hello")
        self.writers.append(writer)
        self.readers.append(asyncio.create_task(self._read(reader)))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await reader.read(65536):
            now = time.monotonic()
            *frames, rest = (rest + chunk).split(b"\n\n")
            for frame in frames:
                for message_id in _RECEIVED_ID.findall(frame):
                    self.duplicates += message_id in self.received_at
                    self.received_at.setdefault(message_id, now)
                    self.message_arrived.set()

    async def wait_for_messages(self, count: int) -> None:
        """Wait until this number of messages has arrived."""
        while len(self.received_at) < count:
            self.message_arrived.clear()
            await self.message_arrived.wait()

    async def close(self) -> None:
        """Close all connections and wait for their readers; errors of readers are ignored."""
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*self.readers, return_exceptions=True)


@contextlib.asynccontextmanager
async def open_streams(
    live: Server, customers: Sequence[UUID], key: str
) -> AsyncIterator[StreamClients]:
    """Open a stream for each of these customers."""
    clients = StreamClients()
    semaphore = asyncio.Semaphore(_CONCURRENT_CONNECTIONS)

    async def open_stream(customer: UUID) -> None:
        async with semaphore:
            await clients.open_stream(live.port, customer, key)

    try:
        await asyncio.gather(*map(open_stream, customers))
        yield clients
    finally:
        await clients.close()


def latency(testbed: Testbed) -> list[Figure]:
    """Send events of customers with open streams, at a steady rate."""
    size, target = testbed.size, testbed.large.target
    count = int(size.stream_rate * size.stream_seconds)
    guests = target.guests[-size.streams :]
    publish_latencies = asyncio.run(
        bare.publish_latencies(target.database.env["REDIS_URL"], rate=size.stream_rate, count=count)
    )
    with servers.running_server("live", target.database) as live:
        delays, send_latencies, client_cpu = asyncio.run(_delays(testbed, live, guests, count))
    suffix = f"with {size.streams:,} streams, {size.stream_rate}/s"
    limits = {share: 1000 * percentile(publish_latencies, share) for share in (0.5, 0.99)}
    aims = {0.5: 5, 0.99: 50}
    return [
        *(
            Figure(
                f"acknowledged → open stream, p{100 * share:.0f}, {suffix}",
                tidy(value := 1000 * percentile(delays, share)),
                "ms",
                limit=tidy(limits[share]),
                aim=f"≤ {aim} ms",
                met=value <= aim,
            )
            for share, aim in aims.items()
        ),
        Figure(
            f"sent → open stream, p50, {suffix}", tidy(1000 * percentile(send_latencies, 0.5)), "ms"
        ),
        Figure("streams: processor of the client", tidy(client_cpu), "cores"),
    ]


async def _delays(
    testbed: Testbed, live: Server, guests: Sequence[Guest], count: int
) -> tuple[list[float], list[float], float]:
    """Return the seconds from acknowledgement to arrival, and from due time to arrival."""
    writer = EventWriter(testbed.large.target, "streams")
    events = [writer.event(guests[number % len(guests)]) for number in range(count)]
    message_ids = [_SENT_ID.findall(event)[0] for event in events]
    requests = [writer.event_request(event) for event in events]
    customers = [guest.customer_id for guest in guests]
    async with open_streams(live, customers, testbed.large.target.key) as clients:
        sent = await load.open_loop(
            testbed.large.web.port,
            requests,
            rate=testbed.size.stream_rate,
            check=traffic.count_accepted,
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(clients.wait_for_messages(count), TIMEOUT)
    if missing := count - len(clients.received_at):
        raise load.BenchmarkFailed(f"{missing} of {count} events never reached their stream")
    if clients.duplicates:
        raise load.BenchmarkFailed(f"{clients.duplicates} events reached their stream twice")
    received = [clients.received_at[name] for name in message_ids]
    # An event may arrive on a stream before its sender has read the answer.
    delays = [
        max(received_at - answered, 0.0)
        for received_at, answered in zip(received, sent.answered_at, strict=True)
    ]
    send_latencies = [
        received_at - (answered - latency)
        for received_at, answered, latency in zip(
            received, sent.answered_at, sent.latencies, strict=True
        )
    ]
    return delays, send_latencies, sent.own_cpu


def memory(testbed: Testbed) -> list[Figure]:
    """Return the memory of the web workers after the load, and of live with idle streams."""
    count, target = testbed.size.idle_streams, testbed.large.target
    web = max(servers.resident_memory(testbed.large.web.workers()))
    with servers.running_server("live", target.database) as live:
        customers = [guest.customer_id for guest in target.guests[:count]]
        streams, empty = asyncio.run(_memory_with_streams(live, customers, target.key))
    return [
        Figure(
            "memory: a web worker after the load", tidy(web), "MB", aim="≤ 200 MB", met=web <= 200
        ),
        Figure(
            f"memory: live with {count:,} idle streams",
            tidy(streams),
            "MB",
            # Without any stream.
            limit=tidy(empty),
            aim="10,000 streams ≤ 1 GB",
            # With fewer streams than the aim, the aim is reduced in proportion.
            met=streams - empty <= (1000 - empty) * count / 10_000,
        ),
    ]


async def _memory_with_streams(
    live: Server, customers: Sequence[UUID], key: str
) -> tuple[float, float]:
    empty = sum(servers.resident_memory(live.workers()))
    async with open_streams(live, customers, key):
        await asyncio.sleep(1)
        return sum(servers.resident_memory(live.workers())), empty
