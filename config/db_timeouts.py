"""A connection with a timeout for a Postgres that stays connected and does not answer.

A server that stopped, or a network that swallows packets, ends no statement: the time limit
of statements is kept by the very server that does not answer.
"""

import math
import select
import time
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors
from psycopg.abc import RV, PQGen
from psycopg_pool import ConnectionPool

# A little more than Postgres itself allows a statement, so that its own word comes first.
ANSWER_TIMEOUT = 4.5


class DatabaseTimeout(psycopg.OperationalError):
    """Postgres did not answer in time; whether it did what it was asked is not known."""


class TimeoutConnection(psycopg.Connection[Any]):
    """Closes itself when an answer takes longer than ANSWER_TIMEOUT."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, ANSWER_TIMEOUT if timeout is None else timeout)
        except errors._WaitTimeout:
            self._raise_timeout()

    def _raise_timeout(self) -> NoReturn:
        self.close()
        raise DatabaseTimeout(f"no answer in {ANSWER_TIMEOUT} seconds")


# A pool that was emptied is not emptied again for so many seconds.
_DRAIN_INTERVAL = 1.0
_drained_at: WeakKeyDictionary[object, float] = WeakKeyDictionary()


def check_idle(connection: "psycopg.Connection[Any]") -> None:
    """Raise where Postgres cut a connection that lay in the pool; the pool then gives another.

    A connection that lay there has nothing to read unless Postgres says that it ends. So the
    pool asks Postgres only then, and a request that gets a good connection waits for nothing.
    A restart of Postgres cuts all of them at once, and the pool waits longer before each that
    it checks: the first that is found cut empties the pool, which connects anew meanwhile.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        if isinstance(pool := connection._pool, ConnectionPool):
            _drain(pool)
        raise


def _drain(pool: "ConnectionPool[Any]") -> None:
    """Replace all connections of the pool; others who find one cut meanwhile do it once."""
    now = time.monotonic()
    if now - _drained_at.get(pool, -math.inf) >= _DRAIN_INTERVAL:
        _drained_at[pool] = now
        pool.drain()
