"""Format times for pages, in the company's time zone."""

from datetime import datetime, timezone

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _


def in_company_zone(at: datetime) -> datetime:
    """Return a time in the company's zone, as a fixed offset with the zone's name.

    At the end of summer time, one hour occurs twice. Django prints no zone name in that hour,
    except for a fixed offset.
    """
    local = localtime(at)
    offset = local.utcoffset()
    assert offset is not None
    return local.replace(tzinfo=timezone(offset, local.tzname() or ""))


def day_and_time(at: datetime) -> str:
    """Return weekday, day, month and time in the reader's language."""
    return date_format(in_company_zone(at), _("D j M, H:i e"))


def date_and_time(at: datetime) -> str:
    """Return day, month, year and time in the reader's language."""
    return date_format(in_company_zone(at), _("j M Y, H:i e"))


def time_of_day(at: datetime, *, with_seconds: bool = False) -> str:
    """Return hours and minutes in the company's zone, and the name of the zone."""
    return date_format(in_company_zone(at), "H:i:s e" if with_seconds else "H:i e")


def staff_time(at: datetime, *, with_weekday: bool = False, with_year: bool = False) -> str:
    """Return day, month and time in English, for sentences that staff read."""
    weekday, year = "%a " if with_weekday else "", " %Y" if with_year else ""
    return localtime(at).strftime(f"{weekday}%-d %b{year}, %H:%M")
