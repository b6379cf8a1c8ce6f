"""What the butler does when somebody says "look": claims what is due, and does it.

Everything is found in Postgres. Ten tickers at once do no harm, a missed tick is caught up,
and one that died lets go of its claim by itself.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from butler import sql
from butler.duties import DUTIES, STANDING, Task
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


def tick(*, now: datetime) -> Tick:
    """Do all that is due now."""
    stand_by(now=now)
    done = failed = 0
    while tasks := claim(now=now):
        outcomes = [_do(task, now=now) for task in tasks]
        done += sum(outcomes)
        failed += len(outcomes) - sum(outcomes)
    return Tick(done, failed)


def stand_by(*, now: datetime) -> None:
    """Write the rows of the standing duties where they are missing."""
    rows = [Due(duty=duty, key="standing", due_at=now) for duty in STANDING]
    Due.objects.bulk_create(rows, ignore_conflicts=True)


def claim(*, now: datetime, most: int = BATCH) -> Sequence[Task]:
    """Take due rows for the length of a claim."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.load("claim_due"), {"now": now, "until": now + CLAIM, "most": most})
        return [Task(*row) for row in cursor.fetchall()]


def _do(task: Task, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            again_at = DUTIES[task.duty](task, now)
            _close(task, now=now, again_at=again_at)
    except Exception as error:  # noqa: BLE001  whatever one duty does, the next one is due
        _log.exception("a duty failed")
        _put_off(task, error, now=now)
        return False
    return True


def _close(task: Task, *, now: datetime, again_at: datetime | None) -> None:
    row = Due.objects.filter(id=task.id, done_at__isnull=True)
    if again_at:
        row.update(due_at=again_at, claimed_until=None, attempts=0, failed_reason="")
    else:
        row.update(done_at=now)


def _put_off(task: Task, error: Exception, *, now: datetime) -> None:
    """Try later, each time twice as late; give up after the last attempt and say why."""
    row = Due.objects.filter(id=task.id)
    reason = type(error).__name__
    if task.attempts >= ATTEMPTS and task.duty not in STANDING:
        row.update(done_at=now, failed_reason=reason)
    else:
        later = now + timedelta(seconds=30 * 2 ** min(task.attempts, 10))
        row.update(due_at=later, claimed_until=None, failed_reason=reason)
