"""Correct the event times of clients whose clocks are wrong. Pure.

A client sends the time of each event (`timestamp`) and the time of sending (`sentAt`). The
difference between `sentAt` and our clock is the error of the client's clock, unless `sentAt` is
old: phones set it when they close the file of a batch, not when they send the batch.
"""

from datetime import UTC, datetime, timedelta

from customers.projections.projected_events import is_in_reach

# Clients that set `sentAt` only once for a batch, even if they send the batch late or repeatedly.
STAMP_ONCE_LIBRARIES = frozenset({"analytics-swift", "analytics-kotlin", "Analytics-CSharp"})

# A smaller difference may be network latency. Correcting it would put two batches of one device
# in the wrong order if the first one was slower.
MAX_LATENCY = timedelta(seconds=60)
ZERO = timedelta(0)


def parse_time(text: object) -> datetime | None:
    """Return an ISO 8601 time in UTC; a time without a zone is read as UTC.

    Returns None if the text is not a time, or if some time zone cannot represent the time.
    """
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
        utc_time = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return utc_time if is_in_reach(utc_time) else None


def estimate_error(sent_at: datetime | None, received_at: datetime, *, is_retry: bool) -> timedelta:
    """Return the duration to add to a client's times; negative if its clock is ahead.

    A clock that is ahead is certain, because a batch is sent before it is received. A clock that
    is behind looks like a batch that waited. A retry did wait, so its difference is ignored.
    """
    if sent_at is None:
        return ZERO
    error = received_at - sent_at
    if error < ZERO:
        return error
    return error if error > MAX_LATENCY and not is_retry else ZERO


def corrected_time(
    stated_time: datetime | None, received_at: datetime, error: timedelta, *, is_stamped_once: bool
) -> datetime:
    """Return the corrected event time, which is never later than `received_at`."""
    if stated_time is None:
        return received_at
    if error and not (is_stamped_once and error > ZERO):
        try:
            stated_time += error
        except OverflowError:
            return received_at
    return min(stated_time, received_at)
