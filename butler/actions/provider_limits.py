"""Limits each provider: its rate, its parallel batches, and its cooldown after failures."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from butler import sql

# After this number of failures in a row a provider gets a cooldown. Each further cooldown is
# twice as long.
FAILURE_LIMIT = 5
_FIRST_COOLDOWN = 5.0
_LONGEST_COOLDOWN = 300.0


class Capacity(NamedTuple):
    """The number of messages that may be claimed for a provider now, and its cooldown."""

    allowed: int
    is_cooling_down: bool


def provider_key(channel: str, position: int) -> str:
    """Return the key of a provider: "email" for the first one, "email:2" for the second one."""
    return f"{channel}:{position + 1}" if position else channel


def acquire(key: str, *, limit: int, batches: int, now: datetime) -> Capacity:
    """Reserve capacity of a provider for one batch and return it.

    `limit` is the largest number of messages in the batch. `batches` is the largest number of
    parallel batches of the channel, so that a provider that hangs does not occupy all workers.
    """
    channel = key.partition(":")[0]
    params = {"key": key, "channel": channel, "limit": limit, "batches": batches, "now": now}
    ((allowed, is_cooling_down),) = sql.rows("acquire_capacity", params)
    return Capacity(int(allowed), is_cooling_down)


def record_outcomes(key: str, outcomes: Iterable[str], *, now: datetime) -> None:
    """Count the failures of the provider; one success resets the count to zero."""
    outcomes = list(outcomes)
    has_succeeded = "accepted" in outcomes or "rejected" in outcomes
    failures = sum(outcome in ("transient", "uncertain") for outcome in outcomes)
    if not failures and not has_succeeded:
        return
    sql.run(
        "record_provider_outcomes",
        {
            "key": key,
            "has_succeeded": has_succeeded,
            "failures": min(failures, FAILURE_LIMIT),
            "failure_limit": FAILURE_LIMIT,
            "now": now,
            "first": _FIRST_COOLDOWN,
            "longest": _LONGEST_COOLDOWN,
        },
    )
