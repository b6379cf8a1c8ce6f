"""The lateness of due rows and heartbeats, for monitoring."""

from datetime import datetime
from typing import NamedTuple

from butler import sql

# In seconds. Ticks run every second, and heartbeats every fifteen seconds.
LATE = 60.0


class WorkerHealth(NamedTuple):
    """Ages in seconds; None if no row is due, or if no heartbeat was ever requested."""

    oldest_due_age: float | None
    heartbeat_overdue: float | None

    @property
    def is_late(self) -> bool:
        """Return whether due rows or heartbeats are more than a minute late."""
        return max(self.oldest_due_age or 0.0, self.heartbeat_overdue or 0.0) > LATE


def worker_health(*, now: datetime) -> WorkerHealth:
    """Return the age of the oldest due row and of the overdue heartbeat."""
    (ages,) = sql.rows("read_worker_health", {"now": now})
    return WorkerHealth(*ages)
