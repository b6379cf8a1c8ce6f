"""Circuit breaker for the database: requests fail at once while it gives no connection.

Without the breaker, each request waits for a connection until the timeout, and requests queue for
the few threads. After one timeout, all requests fail for one second. Then one request tries the
database, and the breaker closes if that request succeeds.
"""

import threading
from collections.abc import Callable

import psycopg_pool

from config.db_timeouts import DatabaseTimeout


def is_database_timeout(error: BaseException | None) -> bool:
    """Return whether the error means that the database gave no connection or answer in time.

    A lost connection is not a timeout: the process notices it at once, and no request waits.
    """
    while error is not None and not isinstance(error, psycopg_pool.PoolTimeout | DatabaseTimeout):
        error = error.__cause__
    return error is not None


class CircuitBreaker:
    """A circuit breaker that stays open for `reset_timeout` seconds after a timeout."""

    def __init__(self, *, reset_timeout: float, clock: Callable[[], float]) -> None:
        self._reset_timeout = reset_timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._open_until: float | None = None

    def allows_request(self) -> bool:
        """Return whether a request may use the database.

        While the breaker is open, it lets one request through for each `reset_timeout`.
        """
        with self._lock:
            if self._open_until is None:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + self._reset_timeout
            return True

    @property
    def is_open(self) -> bool:
        """Tell whether the breaker was opened and not closed since, even after `reset_timeout`."""
        return self._open_until is not None

    def open(self) -> None:
        """Refuse requests for `reset_timeout` seconds from now."""
        with self._lock:
            self._open_until = self._clock() + self._reset_timeout

    def close(self) -> None:
        """Allow all requests again."""
        with self._lock:
            self._open_until = None
