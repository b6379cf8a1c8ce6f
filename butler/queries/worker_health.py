"""Whether due rows and heartbeats are late, for monitoring."""

from datetime import datetime
from typing import NamedTuple

from butler import sql

# In seconds. A tick comes every second and a heartbeat every fifteen.
LATE = 60.0


class WorkerHealth(NamedTuple):
    """Ages in seconds; None where no row is due, or no heartbeat was ever asked for."""

    oldest_due_age: float | None
    heartbeat_overdue: float | None

    @property
    def is_late(self) -> bool:
        return max(self.oldest_due_age or 0.0, self.heartbeat_overdue or 0.0) > LATE


def worker_health(*, now: datetime) -> WorkerHealth:
    """Return the health of ticks and workers."""
    (ages,) = sql.rows("read_worker_health", {"now": now})
    return WorkerHealth(*ages)
