"""Registers every job that a due row can name, and contains the housekeeping jobs."""

from datetime import datetime, timedelta

from django.conf import settings

from butler.actions import address_proposals, heartbeat, runs
from butler.automations import fan_out, scheduling
from butler.due import jobs
from butler.due.queue import ClaimedDue
from customers.actions import (
    address_changes,
    consent,
    idempotency,
    order_requests,
    sign_in,
    source_address_changes,
    source_moves,
)

# How often Butler looks for sources that moved to another space.
_MOVE_INTERVAL = timedelta(seconds=5)
# How often Butler looks for changes of addresses whose time has come.
_CHANGE_INTERVAL = timedelta(seconds=30)
# The maximum number of customers with expired consents, or of orders with expired requests, in one
# transaction.
_EXPIRY_BATCH = 200


# The number of confirmed addresses that one statement reads.
_CONFIRMED_BATCH = 500


def register() -> None:
    """Register the jobs of the butler and of the record."""
    jobs.register("change_addresses", _change_addresses, recurring=True)
    jobs.register("start_confirmed_changes", _start_confirmed_changes, recurring=True)
    jobs.register("expire_consents", _expire_consents, recurring=True)
    jobs.register("expire_order_requests", _expire_order_requests, recurring=True)
    jobs.register("fan_out", fan_out.fan_out)
    jobs.register("forget_answers", _forget_answers, recurring=True)
    jobs.register("forget_sign_ins", _forget_sign_ins, recurring=True)
    jobs.register("group_moved_sources", _group_moved_sources, recurring=True)
    jobs.register("plan_date", scheduling.plan_date)
    jobs.register("plan_dates", scheduling.plan_dates, recurring=True)
    jobs.register("plan_schedules", scheduling.plan_schedules, recurring=True)
    jobs.register("heartbeat", heartbeat.ask, recurring=True)
    jobs.register_batch("run", runs.advance, on_give_up=runs.give_up)


def _forget_answers(due: ClaimedDue, now: datetime) -> datetime:
    """Delete stored answers whose idempotency key has expired; run again in an hour."""
    idempotency.delete_old(now=now, retention=timedelta(days=settings.BUTLER_IDEMPOTENCY_DAYS))
    return now + timedelta(hours=1)


def _forget_sign_ins(due: ClaimedDue, now: datetime) -> datetime:
    """Delete expired sessions and sign-in codes; run again in an hour."""
    sign_in.delete_expired(now=now)
    return now + timedelta(hours=1)


def _expire_consents(due: ClaimedDue, now: datetime) -> datetime:
    """Write the expiry of overdue consents to the ledger; run again in a minute."""
    count = consent.expire_consents(now=now, limit=_EXPIRY_BATCH)
    return now if count == _EXPIRY_BATCH else now + timedelta(minutes=1)


def _expire_order_requests(due: ClaimedDue, now: datetime) -> datetime:
    """Expire the requests about orders that waited too long; run again in a minute."""
    count = order_requests.expire_requests(now=now, limit=_EXPIRY_BATCH)
    return now if count == _EXPIRY_BATCH else now + timedelta(minutes=1)


def _group_moved_sources(due: ClaimedDue, now: datetime) -> datetime:
    """Group a batch of customers of moved sources again; run at once if there was one."""
    return now if source_moves.group_next_batch(now=now) else now + _MOVE_INTERVAL


def _start_confirmed_changes(due: ClaimedDue, now: datetime) -> datetime:
    """Start the changes to addresses that sources confirmed; run again in a minute."""
    source_address_changes.start_confirmed_changes(now=now, limit=_CONFIRMED_BATCH)
    return now + timedelta(minutes=1)


def _change_addresses(due: ClaimedDue, now: datetime) -> datetime:
    """Advance a change of an address; run at once if there was one. Then close answered tasks."""
    if address_changes.advance_next(now=now):
        return now
    address_proposals.close_answered_tasks(now=now)
    return now + _CHANGE_INTERVAL
