"""Limits each provider: its rate, the batches in flight at once, its cooldown after failures."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from butler import sql

# After so many failures in a row a provider gets a cooldown, which doubles each time.
FAILURE_LIMIT = 5
_FIRST_COOLDOWN = 5.0
_LONGEST_COOLDOWN = 300.0


class Capacity(NamedTuple):
    """How many messages may be claimed for a provider now, and whether it is in its cooldown."""

    allowed: int
    is_cooling_down: bool


def provider_key(channel: str, position: int) -> str:
    """Return the key of a channel's provider; the first has the channel's own name."""
    return f"{channel}:{position + 1}" if position else channel


def acquire(key: str, *, limit: int, batches: int, now: datetime) -> Capacity:
    """Take capacity of a provider and return it.

    limit: messages of one batch. batches: batches of the channel in flight at once, so that a
    provider that hangs does not occupy all workers.
    """
    channel = key.partition(":")[0]
    params = {"key": key, "channel": channel, "limit": limit, "batches": batches, "now": now}
    ((allowed, is_cooling_down),) = sql.rows("acquire_capacity", params)
    return Capacity(int(allowed), is_cooling_down)


def record_outcomes(key: str, outcomes: Iterable[str], *, now: datetime) -> None:
    """Count failures of the provider; one success sets the count to zero."""
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
