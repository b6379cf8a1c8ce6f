"""Computes the arrival numbers of events. Pure.

All folds use one order of time: first the time of the event, then its arrival number. Events stored
before Butler had arrival numbers have none in their rows. The SQL function
customers_arrival_number(arrival, received_at, version) returns the number of every event.
"""

from datetime import UTC, datetime, timedelta

# One microsecond of arrival has this many numbers.
PLACES = 2048
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def arrival_number(received_at: datetime, place: int) -> int:
    """Return the number that orders events by time of arrival, then by place in their batch.

    The number is the microseconds since 1970, multiplied by 2048, plus the place. `place` counts
    from 0 in the batch as the source sent it. It may exceed 2047: the sum is then in the range of
    a later microsecond.
    """
    return (received_at - _EPOCH) // _MICROSECOND * PLACES + place
