"""Rings after a commit: "look at customer N, it is at version V now". Carries nothing else.

A thread of its own does the ringing, so that no request ever waits for Redis, and what was
committed meanwhile goes out as one ring. A ring that is lost, with a process or with Redis,
costs the open streams a moment and never a fact: they look for themselves, too.
"""

import atexit
import logging
import os
import threading
from collections.abc import Mapping
from functools import partial
from uuid import UUID

import msgspec
import redis
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

CHANNEL = "butler:changes"

# Redis has this long to take a ring; after it did not, nobody tries for a while.
_PATIENCE = 0.5
_PAUSE = 1.0
# More customers than this in one pause are not remembered: the streams look anyway.
_MOST = 50_000

_log = logging.getLogger(__name__)
_failures = Counter("butler_ring_failures", "Rings that Redis did not take.")


class _Ringer:
    """Collects the heads of logs and rings for them, one ring at a time."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._heads: dict[UUID, int] = {}
        self._wake = threading.Condition()
        self._is_closing = False
        self._redis = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=None,
        )
        self._thread = threading.Thread(target=self._run, name="butler-ring", daemon=True)
        self._thread.start()

    def add(self, heads: Mapping[UUID, int]) -> None:
        with self._wake:
            for customer, version in heads.items():
                if version > self._heads.get(customer, 0) and len(self._heads) < _MOST:
                    self._heads[customer] = version
            self._wake.notify()

    def close(self) -> None:
        """Ring for what is left, within the patience for one ring."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join(2 * _PATIENCE)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._heads and not self._is_closing:
                    self._wake.wait()
                heads, self._heads = self._heads, {}
                is_closing = self._is_closing
            if heads and not self._ring(heads) and not is_closing:
                threading.Event().wait(_PAUSE)
            if is_closing:
                return

    def _ring(self, heads: Mapping[UUID, int]) -> bool:
        changes = [(str(customer), version) for customer, version in heads.items()]
        try:
            self._redis.publish(CHANNEL, msgspec.json.encode(changes))
        except (redis.RedisError, OSError):
            _failures.inc()
            _log.warning("redis does not take rings")
            return False
        return True


_ringer: _Ringer | None = None
_lock = threading.Lock()


def after_commit(heads: Mapping[UUID, int]) -> None:
    """Ring for these customers once the open transaction has committed, and only then."""
    transaction.on_commit(partial(publish, dict(heads)))


def publish(heads: Mapping[UUID, int]) -> None:
    """Tell who listens how far these logs are. Never raises, never waits."""
    global _ringer
    # A forked child inherits the object but not its thread.
    if _ringer is None or _ringer.pid != os.getpid():
        with _lock:
            if _ringer is None or _ringer.pid != os.getpid():
                _ringer = _Ringer()
                atexit.register(_ringer.close)
    _ringer.add(heads)
