"""What the butler does when somebody says "look": claims what is due, and does it.

Everything is found in Postgres. Ten tickers at once do no harm, a missed tick is caught up,
and one that died lets go of its claim by itself. What is done leaves no row behind.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec
from django.db import transaction

from butler import sql
from butler.due.jobs import BATCH_JOBS, JOBS, ON_GIVE_UP, RECURRING
from butler.due.queue import ClaimedDue, Reschedule
from butler.models import Due

# Longer than any duty takes; until then nobody else touches the row.
CLAIM = timedelta(seconds=60)
# A row that failed this often is given up, visibly, so that it blocks no other.
ATTEMPTS = 5
BATCH = 200

_log = logging.getLogger(__name__)


class Tick(NamedTuple):
    """What one tick came to."""

    done: int
    failed: int


def tick(*, now: datetime, seconds: float = float("inf")) -> Tick:
    """Do all that is due now, or as much as fits into so many seconds."""
    # Adding an hour to a wall clock is not always an hour; in UTC it is.
    now, started = now.astimezone(UTC), time.monotonic()
    stand_by(now=now)
    done = failed = 0
    while True:
        # A long tick must not claim with the clock of its beginning: others would take its
        # rows for lapsed.
        elapsed = time.monotonic() - started
        moment = now + timedelta(seconds=elapsed)
        tasks = claim(now=moment) if elapsed < seconds else ()
        if not tasks:
            return Tick(done, failed)
        well = sum(do_all(duty, list(some), now=moment) for duty, some in by_duty(tasks))
        done += well
        failed += len(tasks) - well


def stand_by(*, now: datetime) -> None:
    """Write the rows of the standing duties where they are missing."""
    rows = [Due(duty=duty, key="standing", due_at=now) for duty in RECURRING]
    Due.objects.bulk_create(rows, ignore_conflicts=True)


def claim(*, now: datetime, most: int = BATCH) -> Sequence[ClaimedDue]:
    """Take due rows for the length of a claim."""
    with transaction.atomic():
        found = sql.rows("claim_due", {"now": now, "until": now + CLAIM, "most": most})
    return [
        ClaimedDue(id_, duty, customer, key, msgspec.json.decode(facts), attempts, due_at, until)
        for id_, duty, customer, key, facts, attempts, due_at, until in found
    ]


def by_duty(tasks: Sequence[ClaimedDue]) -> Iterable[tuple[str, Iterable[ClaimedDue]]]:
    """Sort claimed tasks into what is done together."""
    of_duty = attrgetter("duty")
    return groupby(sorted(tasks, key=of_duty), of_duty)


def do_all(duty: str, tasks: Sequence[ClaimedDue], *, now: datetime) -> int:
    """Do tasks of one duty; return how many went well."""
    if duty not in BATCH_JOBS:
        return sum(_do(task, now=now) for task in tasks)
    try:
        with transaction.atomic():
            BATCH_JOBS[duty](tasks, now)
    except Exception as error:  # noqa: BLE001  whatever it was, the rest is still due
        if len(tasks) == 1:
            _log.exception("a duty failed")
            _put_off(tasks[0], error, now=now)
            return 0
        # One of them spoils the batch; alone, it spoils only itself.
        return sum(do_all(duty, [task], now=now) for task in tasks)
    return len(tasks)


def _do(task: ClaimedDue, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            if sql.rows("hold_due", {"id": task.id, "until": task.claimed_until}):
                _close(task, JOBS[task.duty](task, now))
    except Exception as error:  # noqa: BLE001  whatever one duty does, the next one is due
        _log.exception("a duty failed")
        _put_off(task, error, now=now)
        return False
    return True


def _close(task: ClaimedDue, again: Reschedule | datetime | None) -> None:
    row = Due.objects.filter(id=task.id)
    if again is None:
        row.delete()
        return
    at, facts = again if isinstance(again, Reschedule) else (again, task.facts)
    row.update(due_at=at, facts=facts, claimed_until=None, attempts=0, failed_reason="")


def _put_off(task: ClaimedDue, error: Exception, *, now: datetime) -> None:
    """Try later, each time twice as late; give up after the last attempt and say why."""
    row = Due.objects.filter(id=task.id, claimed_until=task.claimed_until)
    reason = type(error).__name__
    if task.attempts >= ATTEMPTS and task.duty not in RECURRING:
        if row.update(done_at=now, failed_reason=reason) and task.duty in ON_GIVE_UP:
            ON_GIVE_UP[task.duty](task, reason, now)
    else:
        later = now + timedelta(seconds=30 * 2 ** min(task.attempts, 10))
        row.update(due_at=later, claimed_until=None, failed_reason=reason)
