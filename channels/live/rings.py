"""The ear of a process: one subscription to Redis, opened again whenever it is lost."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from channels.live import metrics

log = logging.getLogger(__name__)

CHANNEL = "butler:changes"
# Seconds of silence after which the line itself is tried, and until the answer must be there.
SILENCE = 3.0
# Seconds between attempts to subscribe again.
PAUSES = (0.1, 0.5, 1.0, 2.0)

_changes = msgspec.json.Decoder(list[tuple[str, int]])


async def listen(
    url: str,
    *,
    on_ring: Callable[[Iterable[tuple[str, int]]], None],
    on_line: Callable[[bool], None],
) -> None:
    """Hand on every ring, for ever; say when the line is lost and when it is back."""
    failures = 0
    while True:
        # Retrying inside the client would subscribe again without telling that rings were
        # missed in between.
        redis = Redis.from_url(
            url, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0), health_check_interval=0
        )
        try:
            async with redis, redis.pubsub() as subscription:
                await asyncio.wait_for(subscription.subscribe(CHANNEL), 2)
                failures = 0
                on_line(True)
                await _hear(subscription, on_ring)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis does not ring: %s", type(error).__name__)
        on_line(False)
        await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)] * random.uniform(0.8, 1.2))
        failures += 1


async def _hear(subscription: PubSub, on_ring: Callable[[Iterable[tuple[str, int]]], None]) -> None:
    """Hear until the line is dead: an error, or no answer to our own knock."""
    has_knocked = False
    while True:
        message = await subscription.get_message(timeout=SILENCE)
        if message is None:
            if has_knocked:
                raise TimeoutError
            await subscription.ping()
            has_knocked = True
            continue
        has_knocked = False
        if message["type"] == "message":
            metrics.rings.inc()
            _hand_on(message["data"], on_ring)


def _hand_on(data: bytes, on_ring: Callable[[Iterable[tuple[str, int]]], None]) -> None:
    try:
        changes = _changes.decode(data)
    except msgspec.DecodeError:
        log.warning("redis rang something else")
        return
    on_ring(changes)
