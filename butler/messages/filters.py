"""The filters of templates: dates, times, amounts and lists, formatted for a language. Pure."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import sequence_filter, with_context
from liquid.undefined import is_undefined

from butler.messages.money import format_amount
from customers.values.amounts import read_amount
from customers.values.currencies import is_currency

# British English, because Europeans would misread the American order of day and month.
_LOCALES = {"en": "en_GB"}
_DATE_STYLES = ("day", "weekday", "year")

type Filter = Callable[..., Any]


@lru_cache(maxsize=64)
def locale_for(language: str) -> Locale:
    """Return the locale of a language; British English for an unknown one."""
    try:
        return Locale.parse(_LOCALES.get(language, language), sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


@with_context
def date_filter(value: object, style: object = "day", *, context: RenderContext) -> str:
    """Format "2027-04-18" as "18 april", "zondag 18 april" or "18 april 2027"."""
    if style not in _DATE_STYLES:
        raise FilterArgumentError(
            f"the style of a date must be one of {', '.join(_DATE_STYLES)}", token=None
        )
    day = _parse_moment(value, context)
    if isinstance(day, time):
        raise FilterArgumentError("the value is a time of day, not a date", token=None)
    return _format_date(day, str(style), locale_for(_language(context)))


def _format_date(day: date, style: str, locale: Locale) -> str:
    if style == "year":
        return format_date(day, "long", locale=locale)
    short = format_skeleton("MMMMd", day, locale=locale)
    return short if style == "day" else f"{format_date(day, 'EEEE', locale=locale)} {short}"


@with_context
def time_filter(value: object, *, context: RenderContext) -> str:
    """Format "10:00", or an instant in the customer's time zone, as "10:00" or "10.00"."""
    moment = _parse_moment(value, context)
    if isinstance(moment, date) and not isinstance(moment, datetime):
        raise FilterArgumentError("the value is a date without a time", token=None)
    # The time is already in the customer's time zone; Babel would convert it to UTC.
    clock = moment.time() if isinstance(moment, datetime) else moment
    return format_time(clock, "short", locale=locale_for(_language(context)))


@with_context
def money_filter(value: object, currency: object = "", *, context: RenderContext) -> str:
    """Format "80.00" as "€ 80,00", or as "80,00" if the currency is missing."""
    _require(value)
    unit = "" if is_undefined(currency) or not currency else str(currency).upper()
    if unit and not is_currency(unit):
        raise FilterArgumentError("the currency of the amount must have three letters", token=None)
    amount = read_amount(value, unit).value
    if amount is None:
        raise FilterArgumentError("the amount is not a number", token=None)
    return format_amount(amount, unit, locale_for(_language(context)))


@with_context
def list_filter(value: object, *, context: RenderContext) -> str:
    """Format a list of names as "Noor, Sem en Mila"."""
    _require(value)
    if not isinstance(value, list | tuple):
        raise FilterArgumentError("the value is not a list", token=None)
    names = [str(name) for name in compact_filter(value)]
    if not names:
        # An empty list would leave a gap in the sentence; templates must check the size first.
        raise FilterArgumentError("the list is empty", token=None)
    return format_list(names, locale=locale_for(_language(context)))


def first_word_filter(value: object) -> str:
    """Return the first word: "Sem" for "Sem de Wit"."""
    _require(value)
    words = str(value).split(maxsplit=1)
    return words[0] if words else ""


@sequence_filter
def compact_filter(values: Sequence[object]) -> list[object]:
    """Return the values without those that are null, empty or missing."""
    return [value for value in values if value is not None and str(value)]


FILTERS: dict[str, Filter] = {
    "compact": compact_filter,
    "date": date_filter,
    "time": time_filter,
    "money": money_filter,
    "list": list_filter,
    "first_word": first_word_filter,
}


def _require(value: object) -> None:
    if is_undefined(value):
        # str() of an undefined value raises the error for a missing value.
        str(value)


def _parse_moment(value: object, context: RenderContext) -> date | datetime | time:
    _require(value)
    text = str(value)
    for parse in (date.fromisoformat, time.fromisoformat):
        try:
            return parse(text)
        except ValueError:
            continue
    try:
        return _to_customer_zone(datetime.fromisoformat(text), context)
    except ValueError:
        raise FilterArgumentError(
            "the value is not a date or time in ISO 8601", token=None
        ) from None


def _to_customer_zone(instant: datetime, context: RenderContext) -> datetime:
    """Return an instant in the customer's time zone; unchanged if the zone is unknown."""
    zone = context.resolve("zone", default="")
    if instant.tzinfo is None or not zone:
        return instant
    try:
        return instant.astimezone(ZoneInfo(str(zone)))
    # In another zone, the first or last possible date can be outside the range of datetime.
    except (KeyError, OSError, ValueError, OverflowError):
        return instant


def _language(context: RenderContext) -> str:
    return str(context.resolve("language", default="en"))
