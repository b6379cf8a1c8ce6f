"""Claims due rows and runs their jobs.

All work is in Postgres. Ticks may run in parallel. The next tick does the work of a missed tick.
The claims of a tick that died expire. A row is deleted when its job has succeeded.
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

# After this number of failures the row is given up, with the reason.
ATTEMPTS = 5

_log = logging.getLogger(__name__)


class Tick(NamedTuple):
    """The numbers of due rows whose jobs succeeded and failed in one tick."""

    succeeded: int
    failed: int


def tick(*, now: datetime, seconds: float = float("inf")) -> Tick:
    """Run the jobs of all due rows; claim no more rows after `seconds`."""
    # In UTC, because the sum of a local time and an hour can be wrong at a clock change.
    now, started = now.astimezone(UTC), time.monotonic()
    queue.add_recurring(RECURRING, now=now)
    succeeded = failed = 0
    while True:
        # The current time, because claims made with the start time of a long tick would expire.
        elapsed = time.monotonic() - started
        moment = now + timedelta(seconds=elapsed)
        dues = queue.claim(now=moment) if elapsed < seconds else ()
        if not dues:
            return Tick(succeeded, failed)
        count = sum(run_job(job, list(group), now=moment) for job, group in group_by_job(dues))
        succeeded += count
        failed += len(dues) - count


def group_by_job(dues: Sequence[ClaimedDue]) -> Iterable[tuple[str, Iterable[ClaimedDue]]]:
    """Return each job with its claimed rows."""
    job = attrgetter("job")
    return groupby(sorted(dues, key=job), job)


def run_job(job: str, dues: Sequence[ClaimedDue], *, now: datetime) -> int:
    """Run a job for its claimed rows; return the number of rows for which it succeeded."""
    if job not in BATCH_JOBS:
        return sum(_run_one(due, now=now) for due in dues)
    try:
        with transaction.atomic():
            BATCH_JOBS[job](dues, now)
    except Exception as error:  # noqa: BLE001  the other rows are still due after any error
        if len(dues) == 1:
            _record_failure(dues[0], error, now=now)
            return 0
        # One bad row fails its whole batch, so each row runs again in a separate batch.
        return sum(run_job(job, [due], now=now) for due in dues)
    return len(dues)


def _run_one(due: ClaimedDue, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            if queue.lock(due):
                queue.reschedule(due, JOBS[due.job](due, now))
    except Exception as error:  # noqa: BLE001  the next row is still due after any error
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
