"""When it is quiet, and which day, week or month it is, on somebody's own clock. Pure.

Quiet hours hold from the minute they begin to the minute before they end, and belong to the
day on which they begin. From a time to the same time is a whole day.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from butler.due.civil_time import local_day, resolve
from customers.consent.preferences import QuietHours

# Quiet hours return every week: where nothing opens within a week and a day, nothing will.
_HORIZON = timedelta(days=8)
_DAY = timedelta(days=1)


@lru_cache(maxsize=8192)
def spans(day: date, quiet: QuietHours, zone: ZoneInfo) -> tuple[tuple[datetime, datetime], ...]:
    """Return from when until when it is quiet in the hours that could cover a part of a day."""
    if type(quiet.days) is not tuple or not quiet.days:
        raise ValueError("quiet on no day")
    found = []
    for first in (day - _DAY, day):
        if first.isoweekday() in quiet.days:
            last = first if quiet.start < quiet.end else first + _DAY
            found.append((resolve(first, quiet.start, zone), resolve(last, quiet.end, zone)))
    return tuple(found)


def ends(
    hours: Sequence[QuietHours], zones: Sequence[ZoneInfo], moment: datetime, days: Sequence[date]
) -> datetime | None:
    """Return when a quiet that a moment is in ends, in any of the zones; None: it is in none."""
    for zone, day in zip(zones, days, strict=True):
        for one in hours:
            for start, end in spans(day, one, zone):
                if start <= moment < end:
                    return end
    return None


def opens(
    hours: Sequence[QuietHours], zones: Sequence[ZoneInfo], now: datetime, days: Sequence[date]
) -> datetime | None:
    """Return the first moment from now on that is quiet in none of these zones; None: never.

    `days` are the dates that it is now in the zones.
    """
    moment = now
    while end := ends(hours, zones, moment, days):
        moment = end
        if moment - now > _HORIZON:
            return None
        days = [local_day(moment, zone) for zone in zones]
    return moment


@lru_cache(maxsize=8192)
def period(per: str, today: date, zone: ZoneInfo) -> tuple[str, datetime]:
    """Return which day, week or month a date is in, and when the next one starts."""
    if per == "day":
        key, following = today.isoformat(), today + _DAY
    elif per == "week":
        year, week, weekday = today.isocalendar()
        key, following = f"{year}-W{week:02}", today + timedelta(days=8 - weekday)
    elif per == "month":
        key = f"{today.year}-{today.month:02}"
        following = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    else:
        raise ValueError("no such period")
    return key, resolve(following, "00:00", zone)
