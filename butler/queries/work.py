"""How the butler's work stands, for those who watch over it."""

from datetime import datetime
from typing import NamedTuple

from butler import sql

# A tick comes every second, and a sign of life every fifteen: later than this, somebody has
# to look.
LATE = 60.0


class Work(NamedTuple):
    """Ages in seconds; None where nothing is due, or nobody ever asked for a sign of life."""

    oldest_due: float | None
    silent: float | None

    @property
    def is_late(self) -> bool:
        return max(self.oldest_due or 0.0, self.silent or 0.0) > LATE


def work(*, now: datetime) -> Work:
    (found,) = sql.rows("read_work", {"now": now})
    return Work(*found)
