"""Rings after a commit: "look at customer N, it is at version V now". Carries nothing else.

A lost ring costs the open streams a moment, never a fact: they look for themselves, too.
"""

import logging
import threading
import time
from collections.abc import Mapping
from functools import cache, partial
from uuid import UUID

import msgspec
import redis
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

CHANNEL = "butler:changes"

# A request never waits longer than this for Redis, and after a failure nobody tries again
# for a while: the streams find what was not rung.
_PATIENCE = 0.2
_PAUSE = 1.0

_log = logging.getLogger(__name__)
_failures = Counter("butler_ring_failures", "Rings that Redis did not take.")
_quiet_until = 0.0
_lock = threading.Lock()


def after_commit(heads: Mapping[UUID, int]) -> None:
    """Ring for these customers once the open transaction has committed, and only then."""
    transaction.on_commit(partial(publish, dict(heads)))


def publish(heads: Mapping[UUID, int]) -> None:
    """Tell who listens how far these logs are. Never raises."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        _failures.inc()
        return
    changes = [(str(customer), version) for customer, version in heads.items()]
    try:
        _client().publish(CHANNEL, msgspec.json.encode(changes))
    except (redis.RedisError, OSError):
        with _lock:
            _quiet_until = time.monotonic() + _PAUSE
        _failures.inc()
        _log.warning("redis does not take rings")


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=None,
    )
