"""When something really happened, by a clock that we do not control. Pure.

A client states when it happened and, at each attempt to send, what its clock says now. The
difference to our clock is its error, except where the second statement is old itself: phones
stamp a batch when they close the file, not when they send it.
"""

from datetime import UTC, datetime, timedelta

from customers.projections.facts import is_in_reach

# Clients that stamp `sentAt` once, however often and late they send.
STAMPS_ONCE = frozenset({"analytics-swift", "analytics-kotlin", "Analytics-CSharp"})

# Less than this is the way through the network. Correcting it would put two batches of one
# device in the wrong order whenever the first one was slower.
LATENCY = timedelta(seconds=60)
NONE = timedelta(0)


def parse(text: object) -> datetime | None:
    """Read an ISO 8601 time, in UTC where it names no zone.

    None if it is not one, or is at an end of the calendar, where some zone has no such moment.
    """
    if not isinstance(text, str):
        return None
    try:
        stated = datetime.fromisoformat(text)
        moment = stated.astimezone(UTC) if stated.tzinfo else stated.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if is_in_reach(moment) else None


def error_of(sent_at: datetime | None, received_at: datetime, *, is_retry: bool) -> timedelta:
    """Say what to add to a client's times; negative where its clock is ahead.

    A clock ahead is certain: nothing is sent after it was received. A clock behind looks
    like a batch that waited, and a retry did wait, so it is believed only the first time.
    """
    if sent_at is None:
        return NONE
    error = received_at - sent_at
    if error < NONE:
        return error
    return error if error > LATENCY and not is_retry else NONE


def correct(
    stated: datetime | None, received_at: datetime, error: timedelta, *, stamps_once: bool
) -> datetime:
    """Say when it happened: never later than it was received."""
    if stated is None:
        return received_at
    if error and not (stamps_once and error > NONE):
        try:
            stated += error
        except OverflowError:
            return received_at
    return min(stated, received_at)
