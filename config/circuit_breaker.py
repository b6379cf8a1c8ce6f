"""Say 503 at once while the database is away, instead of making everybody wait for it.

Each request would wait for a connection on its own; with a few threads a crowd waits in turn,
each time as long as all before it. After one has waited in vain, nobody does for a second;
then one request looks, and when it gets through, everybody may again.
"""

import threading
from collections.abc import Callable

import psycopg_pool

from config.db_timeouts import DatabaseTimeout


def is_database_timeout(error: BaseException | None) -> bool:
    """Tell a database that gives no connection from one that cut or slowed a single one.

    A cut connection is noticed at once and costs nobody else a wait.
    """
    while error is not None and not isinstance(error, psycopg_pool.PoolTimeout | DatabaseTimeout):
        error = error.__cause__
    return error is not None


class CircuitBreaker:
    """Closed while things work; open for a pause after they did not; then one may try."""

    def __init__(self, *, reset_timeout: float, clock: Callable[[], float]) -> None:
        self._reset_timeout = reset_timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._open_until: float | None = None

    def allows_request(self) -> bool:
        """Tell whether to try; while open, that is one request for each pause."""
        with self._lock:
            if self._open_until is None:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + self._reset_timeout
            return True

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    def open(self) -> None:
        with self._lock:
            self._open_until = self._clock() + self._reset_timeout

    def close(self) -> None:
        with self._lock:
            self._open_until = None
