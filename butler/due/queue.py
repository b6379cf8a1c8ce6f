"""The queue of due rows: claims rows, reschedules them and gives them up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from butler import sql
from butler.models import Due

# Longer than the longest job. Until then no other tick can claim the row.
CLAIM = timedelta(seconds=60)
BATCH = 200
_FIRST_BACKOFF = timedelta(seconds=30)


class ClaimedDue(NamedTuple):
    """One due row that this process has claimed."""

    id: int
    job: str
    customer_id: UUID | None
    key: str
    parameters: Mapping[str, Any]
    attempts: int
    due_at: datetime
    # The end of the claim, which is also its token.
    claimed_until: datetime


class Reschedule(NamedTuple):
    """The time of the next run of a job, and its parameters."""

    at: datetime
    parameters: Mapping[str, Any]


type Job = Callable[[ClaimedDue, datetime], Reschedule | datetime | None]
type BatchJob = Callable[[Sequence[ClaimedDue], datetime], None]


def add_recurring(jobs: Iterable[str], *, now: datetime) -> None:
    """Insert the missing due rows of recurring jobs."""
    rows = [Due(job=job, key="recurring", due_at=now) for job in jobs]
    Due.objects.bulk_create(rows, ignore_conflicts=True)


def claim(*, now: datetime, limit: int = BATCH) -> Sequence[ClaimedDue]:
    """Claim at most `limit` due rows, the oldest first, and return them."""
    with transaction.atomic():
        rows = sql.rows("claim_due", {"now": now, "until": now + CLAIM, "limit": limit})
    return [
        ClaimedDue(
            id_, job, customer, key, msgspec.json.decode(parameters), attempts, due_at, until
        )
        for id_, job, customer, key, parameters, attempts, due_at, until in rows
    ]


def lock(due: ClaimedDue) -> bool:
    """Lock the row until the transaction ends; return False if another tick has claimed it."""
    return bool(sql.rows("lock_due", {"id": due.id, "until": due.claimed_until}))


def reschedule(due: ClaimedDue, next_run: Reschedule | datetime | None) -> None:
    """Set the next due time of the row; delete the row if `next_run` is None."""
    row = Due.objects.filter(id=due.id)
    if next_run is None:
        row.delete()
        return
    at, parameters = next_run if isinstance(next_run, Reschedule) else (next_run, due.parameters)
    row.update(due_at=at, facts=parameters, claimed_until=None, attempts=0, failed_reason="")


def retry_later(due: ClaimedDue, reason: str, *, now: datetime) -> None:
    """Release the claim and delay the row. The delay doubles with each attempt."""
    due_at = now + _FIRST_BACKOFF * 2 ** min(due.attempts, 10)
    _own_row(due).update(due_at=due_at, claimed_until=None, failed_reason=reason)


def give_up(due: ClaimedDue, reason: str, *, now: datetime) -> bool:
    """Close the row with the reason; return False if another tick has claimed it."""
    return bool(_own_row(due).update(done_at=now, failed_reason=reason))


def _own_row(due: ClaimedDue) -> QuerySet[Due]:
    return Due.objects.filter(id=due.id, claimed_until=due.claimed_until)
