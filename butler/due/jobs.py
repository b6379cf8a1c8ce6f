"""What a due row can ask for: its name, and the function that does it.

A duty is done inside a transaction of its own, may be done twice (it is keyed by its row),
and says when it is to be looked at next, if ever. Duties of which many are due at once take
them as a batch, in one transaction, and close the rows themselves.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings

from butler.actions import heartbeat, runs
from butler.automations import fan_out, scheduling
from butler.due.queue import Again, BatchDuty, Duty, Task
from customers.actions import control, idempotency, sign_in

# So many customers are seen to in one transaction.
_MANY = 200

__all__ = ["BATCHES", "DUTIES", "GIVEN_UP", "STANDING", "Again", "Task"]


def _forget_answers(task: Task, now: datetime) -> datetime:
    """Drop the answers to repeated requests that nobody can repeat any more."""
    idempotency.forget_old(now=now, keep=timedelta(days=settings.BUTLER_IDEMPOTENCY_DAYS))
    return now + timedelta(hours=1)


def _forget_sign_ins(task: Task, now: datetime) -> datetime:
    """Drop sessions and codes to sign in with that ran out."""
    sign_in.forget_expired(now=now)
    return now + timedelta(hours=1)


def _expire_consents(task: Task, now: datetime) -> datetime:
    """Put on the ledger which consents ran out."""
    found = control.expire(now=now, most=_MANY)
    return now if found == _MANY else now + timedelta(minutes=1)


DUTIES: dict[str, Duty] = {
    "expire_consents": _expire_consents,
    "fan_out": fan_out.fan_out,
    "forget_answers": _forget_answers,
    "forget_sign_ins": _forget_sign_ins,
    "plan_date": scheduling.plan_date,
    "plan_dates": scheduling.plan_dates,
    "plan_schedules": scheduling.plan_schedules,
    "pulses": heartbeat.ask,
}
BATCHES: dict[str, BatchDuty] = {"run": runs.advance}
# What else is to be done when a row is given up, with the reason.
GIVEN_UP: dict[str, Callable[[Task, str, datetime], None]] = {"run": runs.give_up}

# Duties that are always due again; a tick writes the row if it is missing.
STANDING = (
    "expire_consents",
    "forget_answers",
    "forget_sign_ins",
    "plan_dates",
    "plan_schedules",
    "pulses",
)
