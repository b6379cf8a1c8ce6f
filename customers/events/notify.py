"""Notifies open streams after a commit that customer N is at version V now; nothing else.

No request ever waits for Redis, and everything that was committed meanwhile goes out as one
message. A message that is lost, with a process or with Redis, costs the open streams a moment
and never a fact: they look for themselves, too.
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

from customers.events.background_publisher import BackgroundPublisher

CHANNEL = "butler:changes"

# How many seconds Redis has to accept a message.
_TIMEOUT = 0.5

_log = logging.getLogger(__name__)
_failures = Counter("butler_notify_failures", "Change notifications that Redis did not accept.")


def after_commit(customer_versions: Mapping[UUID, int]) -> None:
    """Publish these versions once the open transaction has committed, and only then."""
    transaction.on_commit(partial(publish, dict(customer_versions)))


def publish(customer_versions: Mapping[UUID, int]) -> None:
    """Tell the listeners how long these customers' logs are. Never raises, never waits."""
    _publisher.add(customer_versions)


def _send(customer_versions: Mapping[UUID, int]) -> bool:
    changes = [(str(customer), version) for customer, version in customer_versions.items()]
    try:
        _redis().publish(CHANNEL, msgspec.json.encode(changes))
    except (redis.RedisError, OSError):
        _failures.inc()
        _log.warning("redis does not accept change notifications")
        return False
    return True


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=None
    )


_publisher = BackgroundPublisher("butler-notify", _send, timeout=_TIMEOUT)
