"""A database connection that closes itself if Postgres does not answer in time.

Postgres itself enforces `statement_timeout`. A stopped server or a network that drops packets
therefore never ends a statement, so the client needs a timeout too.
"""

import select
from typing import Any, NoReturn

import psycopg
from psycopg import errors
from psycopg.abc import RV, PQGen
from psycopg_pool import ConnectionPool

from customers.db.pools import drain

# Seconds. Longer than the statement timeout, so that the error of Postgres comes first.
ANSWER_TIMEOUT = 4.5


class DatabaseTimeout(psycopg.OperationalError):
    """Postgres did not answer in time; the statement may have succeeded."""


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that closes itself if an answer takes longer than ANSWER_TIMEOUT."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait at most `timeout` seconds for an answer (default: ANSWER_TIMEOUT).

        After this time, close the connection and raise DatabaseTimeout.
        """
        try:
            return super().wait(gen, interval, ANSWER_TIMEOUT if timeout is None else timeout)
        except errors._WaitTimeout:
            self._raise_timeout()

    def _raise_timeout(self) -> NoReturn:
        self.close()
        raise DatabaseTimeout(f"no answer in {ANSWER_TIMEOUT} seconds")


def check_idle(connection: "psycopg.Connection[Any]") -> None:
    """Raise psycopg.Error if Postgres closed this idle connection; the pool then gives another.

    An idle connection has bytes to read only if Postgres is closing it. The function asks
    Postgres only in that case, so a request with a good connection does not wait. A restart of
    Postgres closes all connections at once, and the pool waits longer before each further check.
    The first closed connection therefore drains the pool, which then opens new connections.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        if isinstance(pool := connection._pool, ConnectionPool):
            drain(pool)
        raise
