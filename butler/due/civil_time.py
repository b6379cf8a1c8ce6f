"""Civil time: which instant a clock on the wall means, wherever that civil is. Pure.

An hour that does not exist on its day becomes the first minute that does; an hour that comes
twice is the first of the two. So each local date has each time of day exactly once.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_LENGTH = re.compile(r"([1-9]\d{0,4})([mhd])\Z", re.ASCII)
_UNITS = dict(zip("mhd", (timedelta(minutes=1), timedelta(hours=1), _DAY), strict=True))
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)


class BadTime(ValueError):
    """This is no length of time, or no time of day, as automations write them."""


@lru_cache(maxsize=256)
def parse_length(text: str) -> timedelta:
    """Read "90m", "2h" or "3d"; a day is 24 hours, whatever the clocks do."""
    match = _LENGTH.match(text)
    if not match:
        raise BadTime(f"{text!r} is no length of time such as 90m, 2h or 3d")
    return int(match[1]) * _UNITS[match[2]]


@lru_cache(maxsize=256)
def parse_clock(text: str) -> time:
    """Read "09:00"."""
    if not _CLOCK.match(text):
        raise BadTime(f"{text!r} is no time of day such as 09:00")
    return time.fromisoformat(text)


def check_end(text: str) -> None:
    """Raise BadTime where this is neither a length of time nor a time of day."""
    parse_clock(text) if ":" in text else parse_length(text)


def end_of(text: str, since: datetime, zone: ZoneInfo) -> datetime:
    """Return when a length of time is over, or clocks in the zone next show a time of day."""
    return next_local(since, text, zone) if ":" in text else since + parse_length(text)


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the IANA zone of that name, or None where there is none."""
    try:
        return ZoneInfo(name)
    # A key that is a folder, or not a path at all, fails in ways of its own.
    except (KeyError, ValueError, OSError):
        return None


@lru_cache(maxsize=8192)
def local_to_instant(day: date, at: str, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which clocks in the zone show `at` on that day."""
    civil = datetime.combine(day, parse_clock(at), tzinfo=zone)
    instant = civil.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == civil.replace(tzinfo=None):
        return instant
    return _end_of_gap(civil.replace(fold=1).astimezone(UTC), instant, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant after the clocks jumped, somewhere between these two."""
    offset = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        jumped = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset
        low, high = (low, middle) if jumped else (middle, high)
    return before + timedelta(seconds=high)


def next_local(now: datetime, at: str, zone: ZoneInfo) -> datetime:
    """Return the next instant, `now` itself included, at which clocks there show `at`."""
    today = local_day(now, zone)
    # Yesterday too: a day that was skipped as a whole begins when the next one does.
    for day in (today - _DAY, today, today + _DAY):
        instant = local_to_instant(day, at, zone)
        if instant >= now:
            return instant
    return local_to_instant(today + 2 * _DAY, at, zone)


def local_day(now: datetime, zone: ZoneInfo) -> date:
    """Return the date that a calendar in the zone shows."""
    try:
        return now.astimezone(zone).date()
    # The first and the last of all days have no neighbor: a zone may lead beyond them.
    except OverflowError:
        return now.date()


def age_on(day: date, birth_date: date) -> int:
    """Return the age in years on that day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def anniversary(day: date, year: int) -> date:
    """Return when that date returns in a year; who was born on 29 February has a day each year.

    In common years it is 28 February: it stays in the month, and is not late.
    """
    if (day.month, day.day) == (2, 29):
        return date(year, 3, 1) - _DAY
    return day.replace(year=year)
