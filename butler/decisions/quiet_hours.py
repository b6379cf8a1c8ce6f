"""Quiet hours and budget windows in the time zones of a customer. Pure.

Quiet hours include their start and exclude their end. They belong to the day on which they
start. Quiet hours with an equal start and end last for a whole day.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from butler.due.civil_time import local_day, local_to_instant
from customers.consent.preferences import QuietHours

# Quiet hours repeat weekly. If they do not end within eight days, they never end.
_HORIZON = timedelta(days=8)
_DAY = timedelta(days=1)


@lru_cache(maxsize=8192)
def quiet_intervals(
    day: date, quiet: QuietHours, zone: ZoneInfo
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the quiet intervals (start, end) that overlap a day, in UTC."""
    if type(quiet.days) is not tuple or not quiet.days:
        raise ValueError("quiet hours without a day")
    intervals = []
    for first in (day - _DAY, day):
        if first.isoweekday() in quiet.days:
            last = first if quiet.start < quiet.end else first + _DAY
            intervals.append(
                (
                    local_to_instant(first, quiet.start, zone),
                    local_to_instant(last, quiet.end, zone),
                )
            )
    return tuple(intervals)


def quiet_end(
    hours: Sequence[QuietHours], zones: Sequence[ZoneInfo], moment: datetime, days: Sequence[date]
) -> datetime | None:
    """Return the end of a quiet interval of any zone that contains the moment, or None."""
    for zone, day in zip(zones, days, strict=True):
        for quiet in hours:
            for start, end in quiet_intervals(day, quiet, zone):
                if start <= moment < end:
                    return end
    return None


def next_permitted_time(
    hours: Sequence[QuietHours], zones: Sequence[ZoneInfo], now: datetime, days: Sequence[date]
) -> datetime | None:
    """Return the first moment from now on that is outside the quiet hours in all zones.

    Returns None if there is no such moment. `days` are the current dates in the zones.
    """
    moment = now
    while end := quiet_end(hours, zones, moment, days):
        moment = end
        if moment - now > _HORIZON:
            return None
        days = [local_day(moment, zone) for zone in zones]
    return moment


@lru_cache(maxsize=8192)
def budget_window(period: str, today: date, zone: ZoneInfo) -> tuple[str, datetime]:
    """Return the window of a date, such as "2027-W16", and the start of the next window."""
    if period == "day":
        key, following = today.isoformat(), today + _DAY
    elif period == "week":
        year, week, weekday = today.isocalendar()
        key, following = f"{year}-W{week:02}", today + timedelta(days=8 - weekday)
    elif period == "month":
        key = f"{today.year}-{today.month:02}"
        following = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    else:
        raise ValueError("the period must be day, week or month")
    return key, local_to_instant(following, "00:00", zone)
