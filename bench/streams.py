"""From the acknowledgement of an event to the open streams, and what streams cost."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bench import bare, bodies, load, stage
from bench.arena import Arena
from bench.bodies import Guest, Writer
from bench.figures import Figure, percentile, tidy
from bench.stage import Server

# Seconds that the last events have to arrive.
GRACE = 10.0
# Connections that are opened at the same time.
_AT_ONCE = 100

_SEEN = re.compile(rb'"message_id":"([^"]+)"')
_SENT = re.compile(rb'"messageId": "([^"]+)"')


@dataclass(slots=True)
class Audience:
    """Open streams, and when they saw which message, by the monotonic clock."""

    seen_at: dict[bytes, float] = field(default_factory=dict)
    doubled: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    readers: list[asyncio.Task[None]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def attend(self, port: int, customer: UUID, key: str) -> None:
        """Open one stream, and read it in the background once it greets."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        path = f"/live/customers/{customer}"
        writer.write(load.request("GET", path, authorization=f"Bearer {key}"))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise load.Failed(f"no stream: {head!r}")
        await reader.readuntil(b"event: hello")
        self.writers.append(writer)
        self.readers.append(asyncio.create_task(self._read(reader)))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await reader.read(65536):
            now = time.monotonic()
            *frames, rest = (rest + chunk).split(b"\n\n")
            for frame in frames:
                for message_id in _SEEN.findall(frame):
                    self.doubled += message_id in self.seen_at
                    self.seen_at.setdefault(message_id, now)
                    self.news.set()

    async def has_seen(self, count: int) -> None:
        """Wait until so many messages have arrived."""
        while len(self.seen_at) < count:
            self.news.clear()
            await self.news.wait()

    async def leave(self) -> None:
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*self.readers, return_exceptions=True)


@contextlib.asynccontextmanager
async def audience(live: Server, customers: Sequence[UUID], key: str) -> AsyncIterator[Audience]:
    """Open a stream for each of these customers."""
    crowd = Audience()
    door = asyncio.Semaphore(_AT_ONCE)

    async def enter(customer: UUID) -> None:
        async with door:
            await crowd.attend(live.port, customer, key)

    try:
        await asyncio.gather(*map(enter, customers))
        yield crowd
    finally:
        await crowd.leave()


def latency(arena: Arena) -> list[Figure]:
    """Send events to customers who are being watched, at a steady rate."""
    size, context = arena.size, arena.large.context
    count = int(size.stream_rate * size.stream_seconds)
    guests = context.guests[-size.streams :]
    rings = asyncio.run(
        bare.ring_latencies(context.database.env["REDIS_URL"], rate=size.stream_rate, count=count)
    )
    with stage.serving("live", context.database) as live:
        delays, sends, cpu = asyncio.run(_delays(arena, live, guests, count))
    named = f"with {size.streams:,} streams, {size.stream_rate}/s"
    limits = {share: 1000 * percentile(rings, share) for share in (0.5, 0.99)}
    aims = {0.5: 5, 0.99: 50}
    return [
        *(
            Figure(
                f"acknowledged → open stream, p{100 * share:.0f}, {named}",
                tidy(value := 1000 * percentile(delays, share)),
                "ms",
                limit=tidy(limits[share]),
                aim=f"≤ {aim} ms",
                met=value <= aim,
            )
            for share, aim in aims.items()
        ),
        Figure(f"sent → open stream, p50, {named}", tidy(1000 * percentile(sends, 0.5)), "ms"),
        Figure("streams: processor of the client", tidy(cpu), "cores"),
    ]


async def _delays(
    arena: Arena, live: Server, guests: Sequence[Guest], count: int
) -> tuple[list[float], list[float], float]:
    """Return seconds from acknowledged to seen, and from due to seen, for every event."""
    writer = Writer(arena.large.context, "streams")
    events = [writer.event(guests[number % len(guests)]) for number in range(count)]
    names = [_SENT.findall(event)[0] for event in events]
    requests = [writer.post_one(event) for event in events]
    customers = [guest.customer_id for guest in guests]
    async with audience(live, customers, arena.large.context.key) as crowd:
        sent = await load.open_loop(
            arena.large.web.port,
            requests,
            rate=arena.size.stream_rate,
            check=bodies.accepted,
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(crowd.has_seen(count), GRACE)
    if missing := count - len(crowd.seen_at):
        raise load.Failed(f"{missing} of {count} events never reached their stream")
    if crowd.doubled:
        raise load.Failed(f"{crowd.doubled} events reached their stream twice")
    seen = [crowd.seen_at[name] for name in names]
    # An event may be on the screen before its sender has read the answer.
    delays = [
        max(one - answered, 0.0) for one, answered in zip(seen, sent.answered_at, strict=True)
    ]
    sends = [
        one - (answered - latency)
        for one, answered, latency in zip(seen, sent.answered_at, sent.latencies, strict=True)
    ]
    return delays, sends, sent.own_cpu


def memory(arena: Arena) -> list[Figure]:
    """Read the memory of the web workers after all this, and of live full of idle streams."""
    count, context = arena.size.idle_streams, arena.large.context
    web = max(stage.resident(arena.large.web.workers()))
    with stage.serving("live", context.database) as live:
        customers = [guest.customer_id for guest in context.guests[:count]]
        streams, empty = asyncio.run(_idle(live, customers, context.key))
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
            # Fewer streams than the aim names prove their share of it.
            met=streams - empty <= (1000 - empty) * count / 10_000,
        ),
    ]


async def _idle(live: Server, customers: Sequence[UUID], key: str) -> tuple[float, float]:
    empty = sum(stage.resident(live.workers()))
    async with audience(live, customers, key):
        await asyncio.sleep(1)
        return sum(stage.resident(live.workers())), empty
