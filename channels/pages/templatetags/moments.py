"""How a moment is written: with the day of its week, or its year where that is another one."""

from datetime import datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from channels.pages.time import at_home

register = template.Library()


@register.simple_tag
def moment(at: datetime) -> SafeString:
    """Write it at the company's own time; page.js writes it again in the reader's zone."""
    here = at_home(at)
    is_this_year = here.year == localtime().year
    written = date_format(here, _("D j M, H:i e") if is_this_year else _("j M Y, H:i e"))
    return _time('<time data-form="moment" datetime="{}">{}</time>', here, written)


@register.simple_tag
def clock(at: datetime, form: str = "clock") -> SafeString:
    """Write its time of day; `form` is "clock" or, with the second, "second"."""
    here = at_home(at)
    written = date_format(here, "H:i:s e" if form == "second" else "H:i e")
    return format_html(
        '<time data-form="{}" datetime="{}">{}</time>', form, here.isoformat(), written
    )


@register.simple_tag
def stamp(at: datetime) -> SafeString:
    """Write it for colleagues, who all go by the company's clock."""
    here = at_home(at)
    is_this_year = here.year == localtime().year
    written = date_format(here, "D j M, H:i T" if is_this_year else "j M Y, H:i T")
    return _time('<time datetime="{}">{}</time>', here, written)


def _time(markup: str, here: datetime, written: str) -> SafeString:
    return format_html(markup, here.isoformat(timespec="seconds"), written)
