"""Notifies open streams after a commit: "customer N is at version V". It sends no facts.

Requests never wait for Redis. A background thread sends all pending changes as one message. If a
message is lost because a process or Redis stops, the streams get the change up to a second later:
live processes also read the versions from Postgres.
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

# Seconds within which Redis has to accept a message.
_TIMEOUT = 0.5

_log = logging.getLogger(__name__)
_failures = Counter("butler_notify_failures", "Change notifications that Redis did not accept.")


def after_commit(customer_versions: Mapping[UUID, int]) -> None:
    """Publish these versions after the open transaction has committed."""
    transaction.on_commit(partial(publish, customer_versions))


def publish(customer_versions: Mapping[UUID, int]) -> None:
    """Publish the versions of these customers. Never raises an error and never waits."""
    _publisher.add(customer_versions)


def _send(customer_versions: Mapping[UUID, int]) -> bool:
    try:
        _redis().publish(CHANNEL, msgspec.json.encode(list(customer_versions.items())))
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
