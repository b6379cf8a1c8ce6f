"""The calendar entry of a visit, and the QR code for the gate."""

from datetime import datetime
from io import BytesIO
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import icalendar
import msgspec
import segno
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.queries.shapes import OrderShape
from customers.types import OPEN_ORDER_STATUSES

# The longest order number that a QR code on a phone can hold.
_NUMBER_LENGTH = 200


def has_calendar_file(order: OrderShape) -> bool:
    """Return whether an order has a calendar file: a visit date, and not requested or declined."""
    return order.visit_date is not None and order.status not in ("requested", "declined")


def has_qr_code(order: OrderShape) -> bool:
    """Return whether an order has a QR code: it is verified and confirmed."""
    return (
        order.is_verified
        and order.status in OPEN_ORDER_STATUSES
        and len(order.number) <= _NUMBER_LENGTH
    )


def qr_code(number: str) -> bytes:
    """Return a QR code of an order's number as SVG."""
    buffer = BytesIO()
    # Always dark on light, because many scanners cannot read other colors.
    segno.make(number, error="m", micro=False).save(
        buffer,
        kind="svg",
        scale=8,
        border=4,
        dark="#000",
        light="#fff",
        omitsize=True,
        xmldecl=False,
    )
    return buffer.getvalue()


def calendar_file(order: OrderShape) -> bytes:
    """Return a visit as an iCalendar file (RFC 5545), in the company's time zone.

    All files of one order have the same entry, and a later version replaces an earlier one.
    """
    file = icalendar.Calendar()
    file.add("prodid", "-//Butler//Portal//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add_component(_visit(order))
    file.add_missing_timezones()
    return file.to_ical()


def _visit(order: OrderShape) -> icalendar.Event:
    page = settings.BUTLER_SITE_URL.rstrip("/") + reverse("portal:order", args=[order.number])
    event = icalendar.Event()
    event.add("uid", str(uuid5(NAMESPACE_URL, page)))
    event.add("sequence", order.version)
    event.add("dtstamp", order.changed_at)
    event.add("last-modified", order.changed_at)
    event.add("summary", _summary(order))
    event.add("dtstart", _start(order))
    event.add("location", settings.BUTLER_COMPANY)
    event.add("description", _("Code at the gate: %(number)s") % {"number": order.number})
    event.add("url", page)
    event.add("status", "CONFIRMED" if order.status in OPEN_ORDER_STATUSES else "CANCELLED")
    return event


def _summary(order: OrderShape) -> str:
    details = msgspec.json.decode(order.details)
    name = details.get("name") if isinstance(details, dict) else None
    return name if isinstance(name, str) and name else order.number


def _start(order: OrderShape) -> object:
    assert order.visit_date is not None
    if order.visit_time is None:
        return order.visit_date
    zone = ZoneInfo(settings.BUTLER_ZONE)
    return datetime.combine(order.visit_date, order.visit_time.replace(tzinfo=None), zone)
