"""Claims due rows and runs their jobs.

Everything is read from Postgres. Several ticks may run at once, a missed tick is caught up by
the next one, and the claim of a tick that died lapses. A row is deleted when its job is done.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.db import transaction

from butler.due import queue
from butler.due.jobs import BATCH_JOBS, JOBS, ON_GIVE_UP, RECURRING
from butler.due.queue import ClaimedDue

# After so many failures a row is given up with its reason, so that it blocks no other row.
ATTEMPTS = 5

_log = logging.getLogger(__name__)


class Tick(NamedTuple):
    """How many jobs of one tick succeeded and failed."""

    succeeded: int
    failed: int


def tick(*, now: datetime, seconds: float = float("inf")) -> Tick:
    """Run the jobs of all rows that are due, for at most so many seconds."""
    # Adding an hour to a local time is not always an hour; in UTC it is.
    now, started = now.astimezone(UTC), time.monotonic()
    queue.add_recurring(RECURRING, now=now)
    succeeded = failed = 0
    while True:
        # With the time at which a long tick began, its own claims would look lapsed to others.
        elapsed = time.monotonic() - started
        moment = now + timedelta(seconds=elapsed)
        dues = queue.claim(now=moment) if elapsed < seconds else ()
        if not dues:
            return Tick(succeeded, failed)
        count = sum(run_job(job, list(group), now=moment) for job, group in group_by_job(dues))
        succeeded += count
        failed += len(dues) - count


def group_by_job(dues: Sequence[ClaimedDue]) -> Iterable[tuple[str, Iterable[ClaimedDue]]]:
    """Return the claimed rows of each job."""
    job = attrgetter("job")
    return groupby(sorted(dues, key=job), job)


def run_job(job: str, dues: Sequence[ClaimedDue], *, now: datetime) -> int:
    """Run a job for its claimed rows; return for how many it succeeded."""
    if job not in BATCH_JOBS:
        return sum(_run_one(due, now=now) for due in dues)
    try:
        with transaction.atomic():
            BATCH_JOBS[job](dues, now)
    except Exception as error:  # noqa: BLE001  whatever failed, the other rows are still due
        if len(dues) == 1:
            _record_failure(dues[0], error, now=now)
            return 0
        # One bad row fails its whole batch; run alone, it fails only itself.
        return sum(run_job(job, [due], now=now) for due in dues)
    return len(dues)


def _run_one(due: ClaimedDue, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            if queue.lock(due):
                queue.reschedule(due, JOBS[due.job](due, now))
    except Exception as error:  # noqa: BLE001  whatever failed, the next row is still due
        _record_failure(due, error, now=now)
        return False
    return True


def _record_failure(due: ClaimedDue, error: Exception, *, now: datetime) -> None:
    """Retry the row later, or give it up after the last attempt."""
    _log.error("a job failed", exc_info=error)
    reason = type(error).__name__
    if due.attempts < ATTEMPTS or due.job in RECURRING:
        queue.retry_later(due, reason, now=now)
    elif queue.give_up(due, reason, now=now) and due.job in ON_GIVE_UP:
        ON_GIVE_UP[due.job](due, reason, now)
