"""Refuse requests above a limit, so that accepted ones stay fast; clients obey Retry-After."""

import functools
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import redis
from django.conf import settings
from django.http import HttpRequest
from limits.storage import RedisStorage

from channels.ingest.http import ErrorResponse, set_response_headers
from customers.api.rate_limits import rate_limit_headers

logger = logging.getLogger(__name__)

# More concurrent requests than this would only wait in the server's queue, with their bodies read.
MAX_CONCURRENT_REQUESTS = 64
# The length of a window of the limit, and the time for which Redis stores its count.
WINDOW_SECONDS = 60
_EXPIRY_SECONDS = 2 * WINDOW_SECONDS
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


class EventQuota(NamedTuple):
    """The events that a source may send in a minute, and those that this minute has left."""

    per_minute: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the headers RateLimit and RateLimit-Policy of the quota."""
        return rate_limit_headers(
            "events",
            limit=self.per_minute,
            window=WINDOW_SECONDS,
            remaining=self.remaining,
            reset=self.reset_seconds,
            unit="events",
        )


class EventLimit:
    """The limit of events that a source may send in a minute, counted in Redis by all processes.

    Without Redis there is no limit. The limit only protects the machine from overload. A window is
    a minute of the clock, so that one command to Redis gives the count and no other the reset.
    """

    def __init__(self, url: str) -> None:
        self._storage = RedisStorage(
            re.sub("^unix:", "redis+unix:", url),
            key_prefix="butler:limit",
            socket_timeout=0.2,
            socket_connect_timeout=0.2,
        )
        self._disabled_until = 0.0

    def count(
        self, source_id: int, events: int, per_minute: int, now: datetime
    ) -> EventQuota | None:
        """Add events to the count of a source and return its quota; None without Redis.

        Raises ErrorResponse above the limit.
        """
        if time.monotonic() < self._disabled_until:
            return None
        minute, second = divmod(int(now.timestamp()), WINDOW_SECONDS)
        try:
            count = self._storage.incr(f"source:{source_id}:{minute}", _EXPIRY_SECONDS, events)
        except redis.RedisError:
            self._disabled_until = time.monotonic() + REDIS_RETRY_SECONDS
            logger.warning("no limit on events while Redis is unavailable")
            return None
        quota = EventQuota(per_minute, max(0, per_minute - count), WINDOW_SECONDS - second)
        if count > per_minute:
            raise _too_many_events(quota)
        return quota


def _too_many_events(quota: EventQuota) -> ErrorResponse:
    return ErrorResponse(
        429,
        "too_many_events",
        f"This source may send at most {quota.per_minute} events a minute.",
        retry_after=quota.reset_seconds,
        headers=quota.headers(),
    )


@functools.cache
def _event_limit() -> EventLimit:
    return EventLimit(settings.REDIS_URL)


def check_event_limit(request: HttpRequest, source_id: int, events: int, now: datetime) -> None:
    """Count the events of a request against the limit of their source, if there is one.

    The response to the request gets the headers of the quota.
    """
    per_minute = settings.BUTLER_EVENTS_PER_MINUTE
    if not (per_minute and events):
        return
    if quota := _event_limit().count(source_id, events, per_minute, now):
        set_response_headers(request, quota.headers())
