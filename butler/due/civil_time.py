"""Converts local dates and times of day to instants, for any time zone. Pure.

A time that the clock change skips becomes the first instant after the skipped hour. A time that
occurs twice means the first occurrence. So each local date has each time of day exactly once.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from customers.consent.preferences import TIME_OF_DAY

_DAY = timedelta(days=1)
_LENGTH = re.compile(r"([1-9]\d{0,4})([mhd])\Z", re.ASCII)
_UNITS = dict(zip("mhd", (timedelta(minutes=1), timedelta(hours=1), _DAY), strict=True))


class BadTime(ValueError):
    """The text is not a length of time or a time of day in the format of automation files."""


@lru_cache(maxsize=256)
def parse_duration(text: str) -> timedelta:
    """Return the length of "90m", "2h" or "3d"; a day is always 24 hours. Raises BadTime."""
    match = _LENGTH.match(text)
    if not match:
        raise BadTime(f"{text!r} is not a length of time such as 90m, 2h or 3d")
    return int(match[1]) * _UNITS[match[2]]


@lru_cache(maxsize=256)
def parse_clock(text: str) -> time:
    """Return the time of day of a text such as "09:00". Raises BadTime."""
    if not TIME_OF_DAY.fullmatch(text):
        raise BadTime(f"{text!r} is not a time of day such as 09:00")
    return time.fromisoformat(text)


def check_end(text: str) -> None:
    """Raise BadTime if the text is neither a length of time nor a time of day."""
    parse_clock(text) if ":" in text else parse_duration(text)


def end_of(text: str, since: datetime, zone: ZoneInfo) -> datetime:
    """Return the end of a length of time, or the next instant with this time of day."""
    return next_local(since, text, zone) if ":" in text else since + parse_duration(text)


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the IANA time zone of this name, or None if there is none."""
    try:
        return ZoneInfo(name)
    # ZoneInfo raises different errors for an unknown key, a folder and an invalid path.
    except (KeyError, ValueError, OSError):
        return None


@lru_cache(maxsize=8192)
def local_to_instant(day: date, at: str, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, of the local time `at` on this day."""
    civil = datetime.combine(day, parse_clock(at), tzinfo=zone)
    instant = civil.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == civil.replace(tzinfo=None):
        return instant
    return _end_of_gap(civil.replace(fold=1).astimezone(UTC), instant, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant after the clock change between these two instants."""
    offset = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        jumped = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset
        low, high = (low, middle) if jumped else (middle, high)
    return before + timedelta(seconds=high)


def next_local(now: datetime, at: str, zone: ZoneInfo) -> datetime:
    """Return the next instant, `now` included, with the local time `at` in the zone."""
    today = local_day(now, zone)
    # Includes yesterday, because a zone can skip a whole day: it then begins with the next day.
    for day in (today - _DAY, today, today + _DAY):
        instant = local_to_instant(day, at, zone)
        if instant >= now:
            return instant
    return local_to_instant(today + 2 * _DAY, at, zone)


def local_day(now: datetime, zone: ZoneInfo) -> date:
    """Return the local date in the zone."""
    try:
        return now.astimezone(zone).date()
    # In another zone, the first or last possible date can be outside the range of datetime.
    except OverflowError:
        return now.date()


def age_on(day: date, birth_date: date) -> int:
    """Return the age in years on that day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def anniversary(day: date, year: int) -> date:
    """Return the anniversary of a date in a year.

    In common years, 29 February has its anniversary on 28 February, so that it is not late.
    """
    if (day.month, day.day) == (2, 29):
        return date(year, 3, 1) - _DAY
    return day.replace(year=year)
