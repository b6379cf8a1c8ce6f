"""Read the times, dates and times of day that sources state. Pure.

Instants are RFC 3339, or the seconds or milliseconds since 1970. No other text is an instant: a
guess would put an event at a wrong place in the history of a customer.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from customers.values.readings import Reading

UNREADABLE_DATE = "unreadable_date"
UNREADABLE_TIME_OF_DAY = "unreadable_time_of_day"

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]((?:[01][0-9]|2[0-3]):[0-5][0-9]):([0-5][0-9]|60)"
    r"(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-5][0-9])?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A local time without seconds, as the input field `datetime-local` of HTML sends it.
_LOCAL_MINUTE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})")
_TIME_OF_DAY = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:\.[0-9]+)?)?")
_EPOCH = re.compile(r"[0-9]{9,13}(?:\.[0-9]+)?")

_START_OF_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From 1973 to 2099. Smaller numbers are unset clocks, years or dates such as 20270501; larger ones
# are microseconds, nanoseconds or texts of digits such as 20270501120000.
_SECONDS = range(100_000_000, 4_102_444_800)
_MILLISECONDS = range(100_000_000_000, 4_102_444_800_000)
# Years of four digits in which each moment has a valid date in all time zones.
_FIRST_YEAR, _LAST_YEAR = 1000, 9998


def is_in_reach(day: date) -> bool:
    """Tell whether date arithmetic of some weeks around this date is safe in all time zones."""
    return _FIRST_YEAR <= day.year <= _LAST_YEAR


def read_instant(value: object, local_zone: tzinfo | None = None) -> datetime | None:
    """Return an instant in UTC; None if the value is no instant.

    local_zone: the zone of times without an offset; without it, they are no instants
    """
    if type(value) is str:
        return _read_text(value, local_zone)
    if type(value) is int or type(value) is float:
        return _read_epoch(value)
    return None


def written_instant(text: str) -> datetime:
    """Return an instant that Butler itself wrote, such as the time of a request."""
    return datetime.fromisoformat(text)


def read_date(value: object, local_zone: tzinfo) -> Reading[date]:
    """Return a date, or the date of an instant in the zone."""
    if value is None or value == "":
        return Reading()
    text = value.strip() if type(value) is str else ""
    if len(text) > 10 and (match := _LOCAL_MINUTE.fullmatch(text)):
        text = match[1]
    if _DATE.fullmatch(text):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return Reading(doubt=UNREADABLE_DATE)
        return Reading(day) if is_in_reach(day) else Reading(doubt=UNREADABLE_DATE)
    instant = read_instant(text or value, local_zone)
    return (
        Reading(instant.astimezone(local_zone).date())
        if instant
        else Reading(doubt=UNREADABLE_DATE)
    )


def read_time_of_day(value: object, local_zone: tzinfo) -> Reading[time]:
    """Return a time of day such as 10:00, 9:30, 10.30 or 10:30:00, or that of an instant."""
    if value is None or value == "":
        return Reading()
    text = value.strip() if type(value) is str else ""
    if len(text) > 8 and (match := _LOCAL_MINUTE.fullmatch(text)):
        text = match[2]
    if match := _TIME_OF_DAY.fullmatch(text):
        hour, minute, second = (int(part or 0) for part in match.groups())
        if hour < 24 and minute < 60 and second < 60:
            return Reading(time(hour, minute, second))
    elif instant := read_instant(text or value, local_zone):
        return Reading(instant.astimezone(local_zone).time().replace(microsecond=0))
    return Reading(doubt=UNREADABLE_TIME_OF_DAY)


def _read_text(text: str, local_zone: tzinfo | None) -> datetime | None:
    # The spelling of most clients, 2026-11-21T12:00:00.000Z, needs no regular expression.
    if len(text) == 24 and text[4:20:3] == "--T::." and text[23] == "Z" and text[11:13] < "24":
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return instant if is_in_reach(instant) else None
    if match := _INSTANT.fullmatch(text):
        return _instant(*match.groups(), local_zone=local_zone)
    return _read_epoch(float(text)) if _EPOCH.fullmatch(text) else None


def _instant(
    day: str,
    minute: str,
    second: str,
    fraction: str | None,
    offset: str | None,
    *,
    local_zone: tzinfo | None,
) -> datetime | None:
    if offset is None and local_zone is None:
        return None
    is_leap_second = second == "60"
    # Python reads at most six digits of a fraction.
    microseconds = (fraction or "")[:6].ljust(6, "0")
    text = f"{day}T{minute}:{'59' if is_leap_second else second}.{microseconds}"
    try:
        stated = datetime.fromisoformat(text + (offset or "").upper())
        instant = (stated if offset else stated.replace(tzinfo=local_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if not is_in_reach(instant):
        return None
    if is_leap_second:
        # Leap seconds are at the end of a day in UTC. As in POSIX, the next second has their number.
        is_end_of_day = (instant.hour, instant.minute) == (23, 59)
        return instant + timedelta(seconds=1) if is_end_of_day else None
    return instant


def _read_epoch(number: float) -> datetime | None:
    """Return the instant of a number of seconds or milliseconds since 1970."""
    if _SECONDS.start <= number < _SECONDS.stop:
        return _START_OF_EPOCH + timedelta(seconds=number)
    if _MILLISECONDS.start <= number < _MILLISECONDS.stop:
        return _START_OF_EPOCH + timedelta(milliseconds=number)
    return None
