"""Quiet hours and the windows of budgets, in the time zones of a customer. Pure.

Quiet hours hold from the minute they begin to the minute before they end, and belong to the
day on which they begin. From a time to the same time is a whole day.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from butler.due.civil_time import local_day, local_to_instant
from customers.consent.preferences import QuietHours

# Quiet hours return every week: where nothing opens within a week and a day, nothing will.
_HORIZON = timedelta(days=8)
_DAY = timedelta(days=1)


@lru_cache(maxsize=8192)
def quiet_intervals(
    day: date, quiet: QuietHours, zone: ZoneInfo
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the quiet intervals that overlap a day."""
    if type(quiet.days) is not tuple or not quiet.days:
        raise ValueError("quiet on no day")
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
    """Return the end of the quiet interval that contains the moment, in any zone, or None."""
    for zone, day in zip(zones, days, strict=True):
        for quiet in hours:
            for start, end in quiet_intervals(day, quiet, zone):
                if start <= moment < end:
                    return end
    return None


def next_permitted_time(
    hours: Sequence[QuietHours], zones: Sequence[ZoneInfo], now: datetime, days: Sequence[date]
) -> datetime | None:
    """Return the first moment from now on outside the quiet hours in all zones; None: never.

    `days` are the dates that it is now in the zones.
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
    """Return the window of a date, such as "2027-W16", and when the next window starts."""
    if period == "day":
        key, following = today.isoformat(), today + _DAY
    elif period == "week":
        year, week, weekday = today.isocalendar()
        key, following = f"{year}-W{week:02}", today + timedelta(days=8 - weekday)
    elif period == "month":
        key = f"{today.year}-{today.month:02}"
        following = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    else:
        raise ValueError("no such period")
    return key, local_to_instant(following, "00:00", zone)
