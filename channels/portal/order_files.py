"""The calendar entry of a visit, and the QR codes for the gate."""

from collections.abc import Sequence
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

from customers.actions.ticket_codes import Ticket
from customers.queries.shapes import OrderShape
from customers.types import OPEN_ORDER_STATUSES


def has_calendar_file(order: OrderShape) -> bool:
    """Return whether an order has a calendar file: a visit date, and not requested or declined."""
    return order.visit_date is not None and order.status not in ("requested", "declined", "expired")


def qr_code(code: str) -> bytes:
    """Return a QR code of the code of a ticket as SVG."""
    buffer = BytesIO()
    # Always dark on light, because many scanners cannot read other colors.
    segno.make(code, error="m", micro=False).save(
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


def calendar_file(order: OrderShape, tickets: Sequence[Ticket]) -> bytes:
    """Return a visit as an iCalendar file (RFC 5545), in the company's time zone.

    All files of one order have the same entry, and a later version replaces an earlier one.
    """
    file = icalendar.Calendar()
    file.add("prodid", "-//Butler//Portal//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add_component(_visit(order, tickets))
    file.add_missing_timezones()
    return file.to_ical()


def _visit(order: OrderShape, tickets: Sequence[Ticket]) -> icalendar.Event:
    page = settings.BUTLER_SITE_URL.rstrip("/") + reverse("portal:order", args=[order.number])
    event = icalendar.Event()
    event.add("uid", str(uuid5(NAMESPACE_URL, page)))
    event.add("sequence", order.version)
    event.add("dtstamp", order.changed_at)
    event.add("last-modified", order.changed_at)
    event.add("summary", _summary(order))
    event.add("dtstart", _start(order))
    event.add("location", settings.BUTLER_COMPANY)
    if tickets:
        event.add("description", "\n".join(_code_text(ticket) for ticket in tickets))
    event.add("url", page)
    event.add("status", "CONFIRMED" if order.status in OPEN_ORDER_STATUSES else "CANCELLED")
    return event


def _code_text(ticket: Ticket) -> str:
    text = _("Code at the gate: %(code)s") % {"code": ticket.code}
    return f"{ticket.name}: {text}" if ticket.name else text


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
