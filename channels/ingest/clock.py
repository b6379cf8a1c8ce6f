"""Correct the event times of clients whose clocks are wrong. Pure.

A client sends the time of each event (`timestamp`) and the time of sending (`sentAt`). The
difference between `sentAt` and our clock is the error of the client's clock, unless `sentAt` is
old: phones set it when they close the file of a batch, not when they send the batch.
"""

from datetime import datetime, timedelta

# Clients that set `sentAt` only once for a batch, even if they send the batch late or repeatedly.
STAMP_ONCE_LIBRARIES = frozenset({"analytics-swift", "analytics-kotlin", "Analytics-CSharp"})

# A smaller difference may be network latency. Correcting it would put two batches of one device
# in the wrong order if the first one was slower.
MAX_LATENCY = timedelta(seconds=60)
# The clocks of servers are set by the network. A larger difference is an old batch, not a slow clock.
MAX_SERVER_ERROR = timedelta(days=1)
# Nothing is sent before it happens. A larger difference shows that the two times are not of one clock.
MAX_CONTRADICTION = timedelta(days=1)
ZERO = timedelta(0)


def estimate_error(
    sent_at: datetime | None, received_at: datetime, *, is_retry: bool, is_server: bool = False
) -> timedelta:
    """Return the duration to add to a client's times; negative if its clock is ahead.

    A clock that is ahead is certain, because a batch is sent before it is received. A clock that
    is behind looks like a batch that waited. A retry did wait, so its difference is ignored.
    """
    if sent_at is None:
        return ZERO
    error = received_at - sent_at
    if error < ZERO:
        return error
    if is_server and error > MAX_SERVER_ERROR:
        return ZERO
    return error if error > MAX_LATENCY and not is_retry else ZERO


def corrected_time(
    stated_time: datetime | None, received_at: datetime, error: timedelta, *, is_stamped_once: bool
) -> datetime:
    """Return the corrected event time, which is never later than `received_at`."""
    if stated_time is None:
        return received_at
    if not error or (is_stamped_once and error > ZERO):
        return min(stated_time, received_at)
    # By the client's clock, it sent the event at this time.
    sent_at = received_at - error
    if stated_time - sent_at > MAX_CONTRADICTION:
        return min(stated_time, received_at)
    try:
        return min(stated_time + error, received_at)
    except OverflowError:
        return received_at
