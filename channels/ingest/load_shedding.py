"""Refuse requests above a limit, so that accepted ones stay fast; clients obey Retry-After."""

import functools
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import redis
from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from channels.ingest.http import ErrorResponse

logger = logging.getLogger(__name__)

# More concurrent requests than this would only wait in the server's queue, with their bodies read.
MAX_CONCURRENT_REQUESTS = 64
# Seconds without a limit after Redis did not answer.
REDIS_RETRY_SECONDS = 5.0

_slots = threading.BoundedSemaphore(MAX_CONCURRENT_REQUESTS)


@contextmanager
def request_slot() -> Iterator[None]:
    """Hold one of the slots for requests that write. Raises ErrorResponse if all are in use."""
    if not _slots.acquire(blocking=False):
        raise ErrorResponse(503, "busy", "Too many concurrent requests. Try again.", retry_after=1)
    try:
        yield
    finally:
        _slots.release()


class EventLimit:
    """The limit of events that a source may send in a minute, counted in Redis by all processes.

    Without Redis there is no limit. The limit only protects the machine from overload.
    """

    def __init__(self, url: str) -> None:
        storage = RedisStorage(
            re.sub("^unix:", "redis+unix:", url),
            key_prefix="butler:limit",
            socket_timeout=0.2,
            socket_connect_timeout=0.2,
        )
        self._limiter = FixedWindowRateLimiter(storage)
        self._disabled_until = 0.0

    def count(self, source_id: int, events: int, per_minute: int, now: datetime) -> None:
        """Add events to the count of a source. Raises ErrorResponse above the limit."""
        if time.monotonic() < self._disabled_until:
            return
        limit = RateLimitItemPerMinute(per_minute)
        name = f"source:{source_id}"
        try:
            if self._limiter.hit(limit, name, cost=events):
                return
            reset = self._limiter.get_window_stats(limit, name).reset_time
        except redis.RedisError:
            self._disabled_until = time.monotonic() + REDIS_RETRY_SECONDS
            logger.warning("no limit on events while Redis is unavailable")
            return
        wait = max(1, int(reset - now.timestamp()) + 1)
        raise ErrorResponse(
            429,
            "too_many_events",
            f"This source may send at most {per_minute} events a minute.",
            retry_after=wait,
        )


@functools.cache
def _event_limit() -> EventLimit:
    return EventLimit(settings.REDIS_URL)


def check_event_limit(source_id: int, events: int, now: datetime) -> None:
    """Count the events of one request against the limit of their source, if there is one."""
    per_minute = settings.BUTLER_EVENTS_PER_MINUTE
    if per_minute and events:
        _event_limit().count(source_id, events, per_minute, now)
