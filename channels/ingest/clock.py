"""When something really happened, by a clock that we do not control. Pure.

A client states when it happened and, at each attempt to send, what its clock says now. The
difference to our clock is its error, except where the second statement is old itself: phones
stamp a batch when they close the file, not when they send it.
"""

from datetime import UTC, datetime, timedelta

from customers.projections.facts import is_in_reach

# Clients that stamp `sentAt` once, however often and late they send.
STAMP_ONCE_LIBRARIES = frozenset({"analytics-swift", "analytics-kotlin", "Analytics-CSharp"})

# Less than this is the way through the network. Correcting it would put two batches of one
# device in the wrong order whenever the first one was slower.
MAX_LATENCY = timedelta(seconds=60)
ZERO = timedelta(0)


def parse_time(text: object) -> datetime | None:
    """Read an ISO 8601 time, in UTC where it names no zone.

    None if it is not one, or is at an end of the calendar, where some zone has no such moment.
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
    """Say what to add to a client's times; negative where its clock is ahead.

    A clock ahead is certain: nothing is sent after it was received. A clock behind looks
    like a batch that waited, and a retry did wait, so it is believed only the first time.
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
    """Say when it happened: never later than it was received."""
    if stated_time is None:
        return received_at
    if error and not (is_stamped_once and error > ZERO):
        try:
            stated_time += error
        except OverflowError:
            return received_at
    return min(stated_time, received_at)
