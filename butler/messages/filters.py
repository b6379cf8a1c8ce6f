"""How dates, times, sums and names are written in a language: the filters of our texts. Pure."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import sequence_filter, with_context
from liquid.undefined import is_undefined

# The American order of day and month would be misread on this side of the ocean.
_LOCALES = {"en": "en_GB"}
_STYLES = ("day", "weekday", "year")

type Filter = Callable[..., Any]


@lru_cache(maxsize=64)
def locale(language: str) -> Locale:
    """Return how a language writes; English where nobody knows it."""
    try:
        return Locale.parse(_LOCALES.get(language, language), sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


@with_context
def written_date(value: object, style: object = "day", *, context: RenderContext) -> str:
    """Write "2027-04-18" as "18 april", "zondag 18 april" or "18 april 2027"."""
    if style not in _STYLES:
        raise FilterArgumentError(f"date is one of {', '.join(_STYLES)}", token=None)
    day = _moment(value, context)
    if isinstance(day, time):
        raise FilterArgumentError("a time of day is no date", token=None)
    return _date(day, str(style), locale(_language(context)))


def _date(day: date, style: str, written: Locale) -> str:
    if style == "year":
        return format_date(day, "long", locale=written)
    short = format_skeleton("MMMMd", day, locale=written)
    return short if style == "day" else f"{format_date(day, 'EEEE', locale=written)} {short}"


@with_context
def written_time(value: object, *, context: RenderContext) -> str:
    """Write "10:00", or an instant on the customer's clock, as "10:00" or "10.00"."""
    moment = _moment(value, context)
    if isinstance(moment, date) and not isinstance(moment, datetime):
        raise FilterArgumentError("a date has no time", token=None)
    # It was put on the customer's clock already; Babel would put it on that of UTC.
    clock = moment.time() if isinstance(moment, datetime) else moment
    return format_time(clock, "short", locale=locale(_language(context)))


@with_context
def written_money(value: object, currency: object = "", *, context: RenderContext) -> str:
    """Write "80.00" as "€ 80,00", or as "80,00" where nobody knows in what."""
    _present(value)
    try:
        cents = Decimal(str(value)[:32]).quantize(Decimal("0.01"))
    except InvalidOperation:
        cents = Decimal("NaN")
    if not cents.is_finite():
        raise FilterArgumentError("an amount is a number", token=None)
    written = locale(_language(context))
    if is_undefined(currency) or not currency:
        return format_decimal(cents, "#,##0.00", locale=written)
    unit = str(currency).upper()
    if not (len(unit) == 3 and unit.isascii() and unit.isalpha()):
        raise FilterArgumentError("an amount is a number in a currency", token=None)
    return format_currency(cents, unit, locale=written)


@with_context
def written_list(value: object, *, context: RenderContext) -> str:
    """Write names as "Noor, Sem en Mila"."""
    _present(value)
    if not isinstance(value, list | tuple):
        raise FilterArgumentError("a list is made of a list", token=None)
    names = [str(name) for name in compact(value)]
    if not names:
        # In a sentence it would be a gap; a text asks for the size before.
        raise FilterArgumentError("a list of nothing", token=None)
    return format_list(names, locale=locale(_language(context)))


def first_word(value: object) -> str:
    """Write "Sem de Wit" as "Sem"."""
    _present(value)
    words = str(value).split(maxsplit=1)
    return words[0] if words else ""


@sequence_filter
def compact(values: Sequence[object]) -> list[object]:
    """Leave out what is nothing: null, empty, or what `map` finds where there is none."""
    return [one for one in values if one is not None and str(one)]


FILTERS: dict[str, Filter] = {
    "compact": compact,
    "date": written_date,
    "time": written_time,
    "money": written_money,
    "list": written_list,
    "first_word": first_word,
}


def _present(value: object) -> None:
    if is_undefined(value):
        # Asking it anything raises what a missing value raises.
        str(value)


def _moment(value: object, context: RenderContext) -> date | datetime | time:
    _present(value)
    told = str(value)
    for reads in (date.fromisoformat, time.fromisoformat):
        try:
            return reads(told)
        except ValueError:
            continue
    try:
        return _on_the_clock(datetime.fromisoformat(told), context)
    except ValueError:
        raise FilterArgumentError("neither a date nor a time in ISO 8601", token=None) from None


def _on_the_clock(instant: datetime, context: RenderContext) -> datetime:
    """Put an instant on the customer's clock, where we know it."""
    zone = context.resolve("zone", default="")
    if instant.tzinfo is None or not zone:
        return instant
    try:
        return instant.astimezone(ZoneInfo(str(zone)))
    # The first and the last of all days have no neighbor: a zone may lead beyond them.
    except (KeyError, OSError, ValueError, OverflowError):
        return instant


def _language(context: RenderContext) -> str:
    return str(context.resolve("language", default="en"))
