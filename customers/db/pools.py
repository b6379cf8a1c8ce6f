"""Replaces the connections of a pool, for example after Postgres closed them. No Django."""

import math
import time
from typing import Any
from weakref import WeakKeyDictionary

from psycopg_pool import ConnectionPool

# Seconds between two drains of the same pool.
_DRAIN_INTERVAL = 1.0
_drained_at: WeakKeyDictionary[object, float] = WeakKeyDictionary()


def drain(pool: ConnectionPool[Any]) -> None:
    """Replace all connections of the pool, at most once in _DRAIN_INTERVAL seconds."""
    now = time.monotonic()
    if now - _drained_at.get(pool, -math.inf) >= _DRAIN_INTERVAL:
        _drained_at[pool] = now
        pool.drain()
