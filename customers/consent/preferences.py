"""What the value of a preference means. Pure.

The shapes are those of customers.consent.state.SETTINGS; anything else is not a wish that we read
as well as we can, it is Malformed: to obey half of what somebody asked is to disobey.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

PERIODS = ("day", "week", "month")
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,4})?", re.ASCII)
_KEY = re.compile(r"[a-z0-9_.:-]{1,64}", re.ASCII)


class Malformed(ValueError):
    """A value that is not of the shape its setting has."""


class Cap(msgspec.Struct, frozen=True, gc=False):
    """No more than so many messages a day, a week or a month."""

    most: int
    per: str


class Hours(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Local hours that begin on these days (ISO: 1 is Monday); they may go over midnight.

    To the same time is a whole day.
    """

    start: str
    end: str
    days: tuple[int, ...] = EVERY_DAY


def meaning(name: str, value: object, channel: str = "*", topic: str = "*") -> object:
    """Return what a setting's value says: bool, Cap, Hours, datetime, str or tuple of str.

    Raises Malformed for a name, a value or a scope that there is not.
    """
    reads = _READS.get(name)
    if reads is None:
        raise Malformed("no such setting")
    if (channel != "*" and not (reads.by_channel and _is_key(channel))) or (
        topic != "*" and not (reads.by_topic and _is_key(topic))
    ):
        raise Malformed("no such scope")
    return reads.read(value)


def _is_key(scope: object) -> bool:
    return type(scope) is str and scope != ""


def _flag(value: object) -> bool:
    if value is True or value is False:
        return value
    raise Malformed("neither yes nor no")


def _cap(value: object) -> Cap:
    if not isinstance(value, dict) or len(value) != 2:
        raise Malformed("not a budget")
    most, per = value.get("most"), value.get("per")
    if type(most) is not int or most < 0 or per not in PERIODS:
        raise Malformed("not a budget")
    return Cap(most, per)


def _hours(value: object) -> Hours:
    if not isinstance(value, dict):
        raise Malformed("not quiet hours")
    start, end, days = value.get("from"), value.get("to"), value.get("days", EVERY_DAY)
    if len(value) != 2 + ("days" in value):
        raise Malformed("not quiet hours")
    if not (isinstance(start, str) and isinstance(end, str) and isinstance(days, (list, tuple))):
        raise Malformed("not quiet hours")
    # Not in the cache: there 1 and True and 1.0 are one.
    if days is not EVERY_DAY and any(type(day) is not int for day in days):
        raise Malformed("not days of the week")
    return _hours_of(start, end, tuple(days))


@lru_cache(maxsize=4096)
def _hours_of(start: str, end: str, days: tuple[int, ...]) -> Hours:
    if not (_CLOCK.fullmatch(start) and _CLOCK.fullmatch(end)):
        raise Malformed("not a time of day")
    if not days or not all(1 <= day <= 7 for day in days):
        raise Malformed("not days of the week")
    return Hours(start, end, days)


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise Malformed("not an instant") from None
        # A time without its offset from UTC is a different moment for everybody.
        if moment.tzinfo is not None:
            return moment
    raise Malformed("not an instant")


def _zone(value: object) -> str:
    if isinstance(value, str) and _is_zone(value):
        return value
    raise Malformed("not a time zone")


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # OSError: a name such as "Europe" is a folder of the zone database.
        return False
    return True


def _language(value: object) -> str:
    if isinstance(value, str) and _is_language(value):
        return value
    raise Malformed("not a language")


@lru_cache(maxsize=1024)
def _is_language(value: str) -> bool:
    return _LANGUAGE.fullmatch(value) is not None


def _channels(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise Malformed("not channels")
    if not all(isinstance(channel, str) and _KEY.fullmatch(channel) for channel in value):
        raise Malformed("not channels")
    return tuple(value)


class _Read(msgspec.Struct, frozen=True):
    read: Callable[[object], object]
    by_channel: bool = False
    by_topic: bool = False


_READS = {
    "allow": _Read(_flag, by_channel=True, by_topic=True),
    "budget": _Read(_cap, by_channel=True, by_topic=True),
    "quiet_hours": _Read(_hours, by_channel=True, by_topic=True),
    "pause": _Read(_moment, by_channel=True, by_topic=True),
    "only_when_i_ask": _Read(_flag),
    "zone": _Read(_zone),
    "language": _Read(_language),
    "channel_order": _Read(_channels),
    "person_first": _Read(_flag),
    # Its topic is the purpose.
    "data_use": _Read(_flag, by_topic=True),
}
