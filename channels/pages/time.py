"""Moments by the company's clock, for pages."""

from datetime import datetime, timezone

from django.utils.timezone import localtime


def at_home(at: datetime) -> datetime:
    """Return it by the company's clock, in a zone of that moment's name and offset alone.

    In the hour that clocks show twice Django names no zone, and there it matters which it is.
    """
    here = localtime(at)
    offset = here.utcoffset()
    assert offset is not None
    return here.replace(tzinfo=timezone(offset, here.tzname() or ""))
