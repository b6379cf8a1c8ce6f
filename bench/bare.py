"""What Postgres and Redis do bare: the limits that figures are held against."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from random import Random
from uuid import UUID, uuid4

import psycopg
import redis.asyncio

from bench import load
from bench.bodies import Context

_COLUMNS = (
    "customer_id, version, source_id, message_id, message_key, body_hash, kind, name, about,"
    " evidence, actor, identifier_ids, occurred_at, received_at, body"
)


class Copier:
    """Writes events where Butler writes them, with COPY and nothing else.

    One batch is one transaction. The rows carry what Butler would have stored; resolving
    identifiers, finding repeats, moving the heads and projecting traits are left out. The rows
    stay: events cannot be deleted, and these are on nobody's record.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._homes = {g.user_id: (g.customer_id, g.identifier_id) for g in context.guests}
        # Far from what another copier or an earlier run has written.
        self._version = secrets.randbits(60)

    def lines(self, events: Sequence[bytes]) -> bytes:
        """Write a batch in the text format of COPY."""
        return "".join(self._line(event) for event in events).encode()

    def _line(self, raw: bytes) -> str:
        event = json.loads(raw)
        home, identifier = self._homes.get(event["userId"]) or (uuid4(), 1)
        # A log beside the customer's: as far apart in the index, and on nobody's record.
        beside = UUID(int=home.int ^ 1)
        self._version += 1
        body = raw.decode().replace("\\", "\\\\")
        at = event["timestamp"]
        return (
            f"{beside}\t{self._version}\t{self._context.source_id}\t{event['messageId']}\t"
            f"{uuid4().hex}\t{uuid4().hex}\t{event['type']}\t{event.get('event', '')}\t\t2\t\t"
            f"{{{identifier}}}\t{at}\t{at}\t{body}\n"
        )

    def run(self, batches: Sequence[bytes], *, connections: int) -> load.Closed:
        """Copy the batches over so many connections, and count transactions."""

        def write(some: Iterator[bytes]) -> int:
            done = 0
            with self._context.database.connect() as connection:
                for lines in some:
                    _copy(connection, lines)
                    done += 1
            return done

        return load.together([batches[place::connections] for place in range(connections)], write)


def _copy(connection: "psycopg.Connection[tuple[object, ...]]", lines: bytes) -> None:
    statement = f"COPY customers_event ({_COLUMNS}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(lines)


async def ring_latencies(url: str, *, rate: float, count: int) -> list[float]:
    """Return how long rings take from PUBLISH to a subscriber, in seconds."""
    channel = f"bench:{uuid4()}"
    random = Random("rings")
    sent: list[float] = []
    seen: list[float] = []
    client = redis.asyncio.Redis.from_url(url)
    async with client, client.pubsub() as subscription:
        await subscription.subscribe(channel)
        while (await subscription.get_message(timeout=5)) is None:
            pass

        async def hear() -> None:
            while len(seen) < count:
                message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5)
                if message is None:
                    raise load.Failed("redis lost a ring")
                seen.append(time.perf_counter())

        hearing = asyncio.create_task(hear())
        start = time.perf_counter() + 0.05
        for number in range(count):
            await asyncio.sleep(max(start + number / rate - time.perf_counter(), 0))
            # What a ring of ours looks like: one customer and one version.
            ring = json.dumps([[str(UUID(int=random.getrandbits(128))), number]])
            sent.append(time.perf_counter())
            await client.publish(channel, ring)
        await hearing
    return [heard - rung for rung, heard in zip(sent, seen, strict=True)]
