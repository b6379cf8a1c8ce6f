"""Rings after a commit: "look at customer N, it is at version V now". Carries nothing else.

No request ever waits for Redis, and what was committed meanwhile goes out as one ring. A ring
that is lost, with a process or with Redis, costs the open streams a moment and never a fact:
they look for themselves, too.
"""

import logging
from collections.abc import Mapping
from functools import cache, partial
from uuid import UUID

import msgspec
import redis
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

from customers.events.notifier import Ringer

CHANNEL = "butler:changes"

# Redis has this long to take a ring.
_PATIENCE = 0.5

_log = logging.getLogger(__name__)
_failures = Counter("butler_ring_failures", "Rings that Redis did not take.")


def after_commit(heads: Mapping[UUID, int]) -> None:
    """Ring for these customers once the open transaction has committed, and only then."""
    transaction.on_commit(partial(publish, dict(heads)))


def publish(heads: Mapping[UUID, int]) -> None:
    """Tell who listens how far these logs are. Never raises, never waits."""
    _ringer.add(heads)


def _ring(heads: Mapping[UUID, int]) -> bool:
    changes = [(str(customer), version) for customer, version in heads.items()]
    try:
        _redis().publish(CHANNEL, msgspec.json.encode(changes))
    except (redis.RedisError, OSError):
        _failures.inc()
        _log.warning("redis does not take rings")
        return False
    return True


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=None
    )


_ringer = Ringer("butler-ring", _ring, patience=_PATIENCE)
