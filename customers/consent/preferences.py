"""Parses the values of preferences. Pure.

customers.consent.state.SETTINGS lists the valid values. Any other value raises MalformedValue; the
parser never reads a part of a value.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

PERIODS = ("day", "week", "month")
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)

# A time of day such as 09:00, from 00:00 to 23:59. Use it with fullmatch().
TIME_OF_DAY = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,4})?", re.ASCII)
_KEY = re.compile(r"[a-z0-9_.:-]{1,64}", re.ASCII)


class MalformedValue(ValueError):
    """A value that is not valid for its setting."""


class MessageCap(msgspec.Struct, frozen=True, gc=False):
    """The largest number of messages in a day, week or month."""

    limit: int
    period: str


class QuietHours(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Local hours that begin on these days (ISO: 1 is Monday). They may include midnight.

    If start and end are equal, the quiet hours last 24 hours.
    """

    start: str
    end: str
    days: tuple[int, ...] = EVERY_DAY


def parse_value(name: str, value: object, channel: str = "*", topic: str = "*") -> object:
    """Parse a setting's value: bool, MessageCap, QuietHours, datetime, str or tuple of str.

    Raises MalformedValue for an unknown setting, an invalid value or an invalid scope.
    """
    parser = _PARSERS.get(name)
    if parser is None:
        raise MalformedValue("this setting does not exist")
    if (channel != "*" and not (parser.by_channel and _is_scope_key(channel))) or (
        topic != "*" and not (parser.by_topic and _is_scope_key(topic))
    ):
        raise MalformedValue("this setting does not have this scope")
    return parser.parse(value)


def _is_scope_key(scope: object) -> bool:
    return type(scope) is str and scope != ""


def _parse_flag(value: object) -> bool:
    if value is True or value is False:
        return value
    raise MalformedValue("the value is not true or false")


def _parse_cap(value: object) -> MessageCap:
    if not isinstance(value, dict) or len(value) != 2:
        raise MalformedValue("not a budget")
    limit, period = value.get("most"), value.get("per")
    if type(limit) is not int or limit < 0 or period not in PERIODS:
        raise MalformedValue("not a budget")
    return MessageCap(limit, period)


def _parse_hours(value: object) -> QuietHours:
    if not isinstance(value, dict):
        raise MalformedValue("not quiet hours")
    start, end, days = value.get("from"), value.get("to"), value.get("days", EVERY_DAY)
    if len(value) != 2 + ("days" in value):
        raise MalformedValue("not quiet hours")
    if not (isinstance(start, str) and isinstance(end, str) and isinstance(days, (list, tuple))):
        raise MalformedValue("not quiet hours")
    # This check is outside the cached function, because a cache treats 1, True and 1.0 as equal.
    if days is not EVERY_DAY and any(type(day) is not int for day in days):
        raise MalformedValue("not days of the week")
    return _checked_hours(start, end, tuple(days))


@lru_cache(maxsize=4096)
def _checked_hours(start: str, end: str, days: tuple[int, ...]) -> QuietHours:
    if not (TIME_OF_DAY.fullmatch(start) and TIME_OF_DAY.fullmatch(end)):
        raise MalformedValue("not a time of day")
    if not days or not all(1 <= day <= 7 for day in days):
        raise MalformedValue("not days of the week")
    return QuietHours(start, end, days)


def _parse_instant(value: object) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise MalformedValue("not an instant") from None
        # A time without an offset from UTC is ambiguous.
        if moment.tzinfo is not None:
            return moment
    raise MalformedValue("not an instant")


def _parse_zone(value: object) -> str:
    if isinstance(value, str) and _is_zone(value):
        return value
    raise MalformedValue("not a time zone")


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # OSError: a name such as "Europe" is a folder in the time zone database.
        return False
    return True


def _parse_language(value: object) -> str:
    if isinstance(value, str) and _is_language(value):
        return value
    raise MalformedValue("not a language")


@lru_cache(maxsize=1024)
def _is_language(value: str) -> bool:
    return _LANGUAGE.fullmatch(value) is not None


def _parse_channels(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise MalformedValue("not channels")
    if not all(isinstance(channel, str) and _KEY.fullmatch(channel) for channel in value):
        raise MalformedValue("not channels")
    return tuple(value)


class _SettingParser(msgspec.Struct, frozen=True):
    parse: Callable[[object], object]
    by_channel: bool = False
    by_topic: bool = False


_PARSERS = {
    "allow": _SettingParser(_parse_flag, by_channel=True, by_topic=True),
    "budget": _SettingParser(_parse_cap, by_channel=True, by_topic=True),
    "quiet_hours": _SettingParser(_parse_hours, by_channel=True, by_topic=True),
    "pause": _SettingParser(_parse_instant, by_channel=True, by_topic=True),
    "only_when_i_ask": _SettingParser(_parse_flag),
    "zone": _SettingParser(_parse_zone),
    "language": _SettingParser(_parse_language),
    "channel_order": _SettingParser(_parse_channels),
    "person_first": _SettingParser(_parse_flag),
    # The topic of data_use is the key of a purpose.
    "data_use": _SettingParser(_parse_flag, by_topic=True),
}
