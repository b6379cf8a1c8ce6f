"""Subscribes a process to change notifications in Redis, and reconnects after a failure."""

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
# Seconds without a message before a ping, and seconds to wait for its answer.
PING_AFTER = 3.0
# Seconds between attempts to subscribe again.
RECONNECT_DELAYS = (0.1, 0.5, 1.0, 2.0)

_changes_decoder = msgspec.json.Decoder(list[tuple[str, int]])


async def subscribe(
    url: str,
    *,
    on_changes: Callable[[Iterable[tuple[str, int]]], None],
    on_connection: Callable[[bool], None],
) -> None:
    """Pass on all change notifications until cancelled, and report each change of the connection."""
    failures = 0
    while True:
        redis = _client(url)
        try:
            async with redis, redis.pubsub() as subscription:
                await asyncio.wait_for(subscription.subscribe(CHANNEL), 2)
                failures = 0
                on_connection(True)
                await _receive_messages(subscription, on_changes)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis subscription lost: %s", type(error).__name__)
        on_connection(False)
        delay = RECONNECT_DELAYS[min(failures, len(RECONNECT_DELAYS) - 1)]
        await asyncio.sleep(delay * random.uniform(0.8, 1.2))
        failures += 1


def _client(url: str) -> Redis:
    # No retries in the client: it would subscribe again without reporting that notifications
    # were missed in between.
    return Redis.from_url(
        url, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0), health_check_interval=0
    )


async def _receive_messages(
    subscription: PubSub, on_changes: Callable[[Iterable[tuple[str, int]]], None]
) -> None:
    """Receive messages until an error, or until a ping gets no answer."""
    is_ping_pending = False
    while True:
        message = await subscription.get_message(timeout=PING_AFTER)
        if message is None:
            if is_ping_pending:
                raise TimeoutError
            await subscription.ping()
            is_ping_pending = True
            continue
        is_ping_pending = False
        if message["type"] == "message":
            metrics.notifications.inc()
            _dispatch_changes(message["data"], on_changes)


def _dispatch_changes(
    payload: bytes, on_changes: Callable[[Iterable[tuple[str, int]]], None]
) -> None:
    try:
        changes = _changes_decoder.decode(payload)
    except msgspec.DecodeError:
        log.warning("invalid change notification from redis")
        return
    on_changes(changes)
