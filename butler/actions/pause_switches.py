"""Pause switches: stop an automation, or all of them, and withdraw what they have queued."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from butler import sql
from butler.due import notify
from butler.models import Automation, PauseSwitch
from customers import sql as customers_sql
from customers.events import log

EVERYTHING = "*"
# The number of messages withdrawn in one transaction.
_WITHDRAWAL_BATCH = 2000


class UnknownAutomation(Exception):
    """There is no automation with this key."""


def engage_switch(*, key: str, by: str, reason: str, now: datetime) -> int:
    """Stop an automation, or all of them ("*"); return how many messages were withdrawn.

    Each claim after the commit of the row obeys the switch. Then this function withdraws queued
    messages and unread inbox messages. A second call withdraws the messages created since the
    first one.
    """
    if key != EVERYTHING and not Automation.objects.filter(key=key).exists():
        raise UnknownAutomation(f"There is no automation {key}.")
    switch = PauseSwitch(key=key, engaged_at=now, engaged_by=by, reason=reason[:200])
    PauseSwitch.objects.bulk_create([switch], ignore_conflicts=True)
    count, after = 0, UUID(int=0)
    while messages := _find_withdrawable(key, after, now):
        count, after = count + _withdraw(messages, now), messages[-1][0]
    return count


def _find_withdrawable(key: str, after: UUID, now: datetime) -> list[tuple[UUID, UUID]]:
    params = {"key": key, "after": after, "limit": _WITHDRAWAL_BATCH, "now": now}
    return sql.rows("find_withdrawable", params)


@transaction.atomic
def _withdraw(messages: Sequence[tuple[UUID, UUID]], now: datetime) -> int:
    """Withdraw messages, and append an event to the log of each customer who could see one."""
    # All writers of outcomes lock customers before messages, so that they cannot deadlock.
    customer_ids = {customer_id for _, customer_id in messages}
    customers_sql.run("lock_records", {"ids": sorted(customer_ids)})
    params = {"ids": [message_id for message_id, _ in messages], "now": now}
    withdrawn = sql.rows("withdraw_messages", params)
    events = [
        _withdrawal_event(message_id, customer_id, now)
        for message_id, customer_id, was_visible in withdrawn
        if was_visible and customer_id in customer_ids
    ]
    if events:
        log.append_internal_events(events, actor="", now=now)
    return len(withdrawn)


def _withdrawal_event(message_id: UUID, customer_id: UUID, now: datetime) -> log.InternalEvent:
    return log.InternalEvent(
        customer_id,
        "message",
        "Message Withdrawn",
        {"message": str(message_id), "channel": "inbox"},
        now,
        about=f"message:{message_id}",
    )


@transaction.atomic
def release_switch(*, key: str, by: str, now: datetime) -> bool:
    """Release a switch; return whether it was engaged. Withdrawn messages stay withdrawn."""
    engaged = PauseSwitch.objects.filter(key=key, released_at=None)
    is_released = bool(engaged.update(released_at=now, released_by=by))
    notify.after_commit("butler.tick")
    return is_released
