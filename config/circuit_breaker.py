"""Circuit breaker for the database: requests fail at once while it gives no connection.

Otherwise each request waits for a connection until its timeout, and requests queue behind each
other in the few threads. After one timeout all requests fail for a second; then one request
tries, and the breaker closes when it succeeds.
"""

import threading
from collections.abc import Callable

import psycopg_pool

from config.db_timeouts import DatabaseTimeout


def is_database_timeout(error: BaseException | None) -> bool:
    """Tell whether the database gave no connection in time.

    A lost connection is no timeout: it is noticed at once and makes no other request wait.
    """
    while error is not None and not isinstance(error, psycopg_pool.PoolTimeout | DatabaseTimeout):
        error = error.__cause__
    return error is not None


class CircuitBreaker:
    """Closed while the database answers; open for `reset_timeout` after it did not."""

    def __init__(self, *, reset_timeout: float, clock: Callable[[], float]) -> None:
        self._reset_timeout = reset_timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._open_until: float | None = None

    def allows_request(self) -> bool:
        """Tell whether to try; while open, one request for each `reset_timeout`."""
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
