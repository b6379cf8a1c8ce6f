"""Measures Postgres and Redis without Butler: the limits for Butler's figures."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from uuid import UUID, uuid4

import psycopg
import redis.asyncio

from bench import load
from bench.traffic import Target
from customers.events.arrival import arrival_number

_COLUMNS = (
    "customer_id, version, source_id, message_id, message_key, body_hash, kind, name, about,"
    " evidence, actor, identifier_ids, occurred_at, received_at, arrival, body"
)


class EventCopier:
    """Writes events into Butler's table with COPY.

    One batch is one transaction. The rows are those that Butler would store. The copier does not
    resolve identifiers, find duplicates, update versions or project traits. The rows stay, because
    events cannot be deleted; they belong to no record.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._identifiers_by_user = {
            guest.user_id: (guest.customer_id, guest.identifier_id) for guest in target.guests
        }
        # Far from the numbers of other copiers and earlier runs.
        self._version = secrets.randbits(60)

    def lines(self, events: Sequence[bytes]) -> bytes:
        """Return a batch in the text format of COPY."""
        return "".join(self._line(event) for event in events).encode()

    def _line(self, raw: bytes) -> str:
        event = json.loads(raw)
        customer_id, identifier_id = self._identifiers_by_user.get(event["userId"]) or (uuid4(), 1)
        # A log that belongs to no record, with the same distribution in the index.
        neighbor_id = UUID(int=customer_id.int ^ 1)
        self._version += 1
        body = raw.decode().replace("\\", "\\\\")
        timestamp = event["timestamp"]
        arrival = arrival_number(datetime.fromisoformat(timestamp), 0)
        return (
            f"{neighbor_id}\t{self._version}\t{self._target.source_id}\t{event['messageId']}\t"
            f"{uuid4().hex}\t{uuid4().hex}\t{event['type']}\t{event.get('event', '')}\t\t2\t\t"
            f"{{{identifier_id}}}\t{timestamp}\t{timestamp}\t{arrival}\t{body}\n"
        )

    def run(self, batches: Sequence[bytes], *, connections: int) -> load.ClosedLoop:
        """Copy the batches over this number of connections, and count transactions."""

        def write(batch_lines: Iterator[bytes]) -> int:
            copied = 0
            with self._target.database.connect() as connection:
                for lines in batch_lines:
                    _copy(connection, lines)
                    copied += 1
            return copied

        return load.run_threads(
            [batches[index::connections] for index in range(connections)], write
        )


def _copy(connection: "psycopg.Connection[tuple[object, ...]]", lines: bytes) -> None:
    statement = f"COPY customers_event ({_COLUMNS}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(lines)


async def publish_latencies(url: str, *, rate: float, count: int) -> list[float]:
    """Return the seconds from PUBLISH to a subscriber of each notification."""
    channel = f"bench:{uuid4()}"
    random = Random("rings")
    published_at: list[float] = []
    received_at: list[float] = []
    client = redis.asyncio.Redis.from_url(url)
    async with client, client.pubsub() as subscription:
        await subscription.subscribe(channel)
        while (await subscription.get_message(timeout=5)) is None:
            pass

        async def receive() -> None:
            while len(received_at) < count:
                message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5)
                if message is None:
                    raise load.BenchmarkFailed("redis lost a notification")
                received_at.append(time.perf_counter())

        receiving = asyncio.create_task(receive())
        start = time.perf_counter() + 0.05
        for number in range(count):
            await asyncio.sleep(max(start + number / rate - time.perf_counter(), 0))
            # A notification of Butler: one customer and one version.
            notification = json.dumps([[str(UUID(int=random.getrandbits(128))), number]])
            published_at.append(time.perf_counter())
            await client.publish(channel, notification)
        await receiving
    return [
        received - published for published, received in zip(published_at, received_at, strict=True)
    ]
