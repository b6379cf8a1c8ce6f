"""What a due row can ask for: its name, and the function that does it.

A duty is done inside a transaction of its own, may be done twice (it is keyed by its row),
and says when it is to be looked at next, if ever. Duties of which many are due at once take
them as a batch, in one transaction, and close the rows themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from customers.actions import idempotency, sign_in


class Task(NamedTuple):
    """One due row, as a duty sees it."""

    id: int
    duty: str
    customer_id: UUID | None
    key: str
    facts: Mapping[str, Any]
    attempts: int
    due_at: datetime
    # The end of the claim, and its token.
    claimed_until: datetime


class Again(NamedTuple):
    """When to look again, and what to remember until then."""

    at: datetime
    facts: Mapping[str, Any]


type Duty = Callable[[Task, datetime], Again | datetime | None]
type BatchDuty = Callable[[Sequence[Task], datetime], None]


def _forget_answers(task: Task, now: datetime) -> datetime:
    """Drop the answers to repeated requests that nobody can repeat any more."""
    idempotency.forget_old(now=now, keep=timedelta(days=settings.BUTLER_IDEMPOTENCY_DAYS))
    return now + timedelta(hours=1)


def _forget_sign_ins(task: Task, now: datetime) -> datetime:
    """Drop sessions and codes to sign in with that ran out."""
    sign_in.forget_expired(now=now)
    return now + timedelta(hours=1)


DUTIES: dict[str, Duty] = {
    "forget_answers": _forget_answers,
    "forget_sign_ins": _forget_sign_ins,
}
BATCHES: dict[str, BatchDuty] = {}

# Duties that are always due again; a tick writes the row if it is missing.
STANDING = ("forget_answers", "forget_sign_ins")
