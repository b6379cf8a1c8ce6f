"""Template tags for times, with the weekday in this year and with the year otherwise."""

from datetime import datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from channels.pages import time

register = template.Library()


@register.simple_tag
def timestamp(at: datetime) -> SafeString:
    """Return a <time> element in the company's zone; page.js converts it to the reader's zone."""
    text = time.day_and_time(at) if _is_this_year(at) else time.date_and_time(at)
    return _element('<time data-format="timestamp" datetime="{}">{}</time>', at, text)


@register.simple_tag
def time_of_day(at: datetime, precision: str = "time") -> SafeString:
    """Return a <time> element with the time of day.

    `precision` is "time" or "time_with_seconds".
    """
    return format_html(
        '<time data-format="{}" datetime="{}">{}</time>',
        precision,
        time.in_company_zone(at).isoformat(),
        time.time_of_day(at, with_seconds=precision == "time_with_seconds"),
    )


@register.simple_tag
def staff_timestamp(at: datetime) -> SafeString:
    """Return a <time> element for staff, who all use the company's zone."""
    text = date_format(
        time.in_company_zone(at), "D j M, H:i T" if _is_this_year(at) else "j M Y, H:i T"
    )
    return _element('<time datetime="{}">{}</time>', at, text)


@register.simple_tag
def staff_clock(at: datetime) -> SafeString:
    """Return a <time> element with the time of day for staff, below a heading with the day."""
    text = date_format(time.in_company_zone(at), "H:i T")
    return _element('<time datetime="{}">{}</time>', at, text)


def _is_this_year(at: datetime) -> bool:
    return localtime(at).year == localtime().year


def _element(markup: str, at: datetime, text: str) -> SafeString:
    return format_html(markup, time.in_company_zone(at).isoformat(timespec="seconds"), text)
