"""Headlines and detail lines of events, for customers and for staff."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.pages.money import format_money
from channels.pages.presenters.labels import MESSAGE_CHANNELS, translated
from customers.projections.order_refunds import read_refund
from customers.projections.order_statements import read_order
from customers.values.times import read_date

type Details = Callable[[Mapping[str, Any]], tuple[str, ...]]


class EventDescription(NamedTuple):
    """The headlines of an event, and the function that returns its details from its properties.

    The headline for customers is a text to translate. The headline for staff is in English.
    """

    customer: str
    staff: str
    details: Details | None = None


# The properties that name the subject of an event without a description, the best first.
_SUBJECTS = ("name", "title", "label", "product", "ride", "subject")


def headline(
    kind: str, name: str, properties: Mapping[str, Any], *, for_staff: bool = False
) -> str:
    """Return the headline of an event. Without a description it is the name with the subject."""
    description = _DESCRIPTIONS.get(name) if kind not in ("page", "screen") else None
    description = description or _KIND_DESCRIPTIONS.get(kind)
    if description is None:
        subject = next(filter(None, (_text(properties, key) for key in _SUBJECTS)), "")
        return ": ".join(filter(None, (name or kind, subject[:80])))
    return description.staff if for_staff else _(description.customer)


def names_with_headline(text: str) -> tuple[str, ...]:
    """Return the names of events whose headline for staff contains a text."""
    searched = text.casefold()
    return tuple(
        name
        for name, description in _DESCRIPTIONS.items()
        if searched in description.staff.casefold()
    )


def detail(kind: str, name: str, properties: Mapping[str, Any]) -> str:
    """Return the line below a headline: the details that matter to the customer."""
    if kind in ("page", "screen"):
        return name
    description = _DESCRIPTIONS.get(name)
    parts = description.details(properties) if description and description.details else ()
    return " · ".join(part for part in parts if part)


def requested_change(change: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return one line of text about a requested change of an order.

    names: the names of the order's lines, by id
    """
    listed = change.get("lines")
    lines = [line for line in listed if isinstance(line, dict)] if isinstance(listed, list) else []
    if "line_id" in change:
        lines.append(dict(change))
    party = change.get("party")
    guests = party if isinstance(party, list) else []
    parts = [
        *_change_details(change),
        *(_changed_line(line, names) for line in lines),
        ", ".join(_text(guest, "name") for guest in guests if isinstance(guest, dict)),
        _text(change, "name"),
        _text(change, "note"),
    ]
    return " · ".join(part[:120] for part in parts if part)


def _changed_line(line: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a line of a requested change: its name now, and the name and product that it gets."""
    if _text(line, "line_id") not in names:
        return _quantity_and_name(line, names)
    stated_names = [_text(line, name) for name in ("name", "title", "product", "product_id", "sku")]
    text = _quantity_and_name({**line, "name": "", "title": ""}, names)
    stated = ", ".join(dict.fromkeys(filter(None, stated_names)))
    return f"{text} → {stated}" if stated else text


def _quantity_and_name(line: Mapping[str, Any], names: Mapping[str, str]) -> str:
    line_id, quantity = _text(line, "line_id"), _text(line, "quantity").lstrip("-")
    product = line_id or _text(line, "product_id") or _text(line, "sku")
    name = _text(line, "name") or _text(line, "title") or names.get(line_id) or product
    return f"{quantity}× {name}" if quantity else name


def _order_details(properties: Mapping[str, Any]) -> tuple[str, ...]:
    statement = read_order(properties, get_default_timezone())
    total = _amount(statement.total, statement.currency)
    return _text(properties, "name"), total, _text(properties, "order_id")


def _refund_details(properties: Mapping[str, Any]) -> tuple[str, ...]:
    refund = read_refund(properties, "")
    lines = (_quantity_and_name(document, {}) for document in refund.documents)
    amount = _amount(refund.amount or refund.stated_sum, refund.currency)
    return amount, *(line[:120] for line in lines), _text(properties, "order_id")


def _amount(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else format_money(str(amount), currency)


def _change_details(properties: Mapping[str, Any]) -> tuple[str, ...]:
    when = ", ".join(
        filter(
            None, (_date_text(_text(properties, "visit_date")), _text(properties, "visit_time")[:5])
        )
    )
    arrival = _("arrival %(when)s") % {"when": when} if when else ""
    return _text(properties, "order_id"), arrival, _text(properties, "reason")


def _date_text(text: str) -> str:
    day = read_date(text, get_default_timezone()).value
    if day is None:
        return text
    return f"{date_format(day, _('D j M'))} {day.year}"


def _line_details(properties: Mapping[str, Any]) -> tuple[str, ...]:
    return _text(properties, "order_id"), _text(properties, "name") or _text(properties, "line_id")


def _wait_details(properties: Mapping[str, Any]) -> tuple[str, ...]:
    minutes = _text(properties, "posted_minutes")
    wait = _("%(minutes)s minutes") % {"minutes": minutes} if minutes else ""
    return _text(properties, "name"), wait


def _scan_details(properties: Mapping[str, Any]) -> tuple[str, ...]:
    return _text(properties, "order_id") or _text(properties, "card") or _text(
        properties, "code"
    ), _text(properties, "till")


def _channel_details(properties: Mapping[str, Any]) -> tuple[str, ...]:
    return (translated(MESSAGE_CHANNELS, _text(properties, "channel")),)


def _text(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    return str(value) if isinstance(value, str | int | float) else ""


def _property_details(name: str) -> Details:
    """Return a function that returns one property of an event as its details."""
    return lambda properties: (_text(properties, name),)


# The descriptions by the name of the event.
_DESCRIPTIONS = {
    "Order Completed": EventDescription(
        gettext_noop("You placed an order"), "Placed an order", _order_details
    ),
    "Order Updated": EventDescription(
        gettext_noop("Your order was changed"), "Order changed", _order_details
    ),
    "Order Amended": EventDescription(
        gettext_noop("Your order was changed"), "Order changed", _change_details
    ),
    "Order Line Cancelled": EventDescription(
        gettext_noop("Part of your order was cancelled"),
        "Part of an order cancelled",
        _line_details,
    ),
    "Order Cancelled": EventDescription(
        gettext_noop("Your order was cancelled"), "Order cancelled", _change_details
    ),
    "Order Refunded": EventDescription(
        gettext_noop("You got money back"), "Order refunded", _refund_details
    ),
    "Order Requested": EventDescription(
        gettext_noop("You asked for an order"), "Order requested", _order_details
    ),
    "Order Change Requested": EventDescription(
        gettext_noop("You asked to change your order"), "Order change requested", _change_details
    ),
    "Order Line Cancellation Requested": EventDescription(
        gettext_noop("You asked to cancel part of your order"),
        "Cancellation of an order line requested",
        _line_details,
    ),
    "Order Cancellation Requested": EventDescription(
        gettext_noop("You asked to cancel your order"),
        "Order cancellation requested",
        _change_details,
    ),
    "Order Request Confirmed": EventDescription(
        gettext_noop("We did what you asked"), "Request confirmed"
    ),
    "Order Request Declined": EventDescription(
        gettext_noop("We could not do what you asked"),
        "Request declined",
        _change_details,
    ),
    "Order Request Expired": EventDescription(
        gettext_noop("Your request was not answered in time"), "Request expired"
    ),
    "Order Moved": EventDescription(
        gettext_noop("An order was put in another name"), "Order moved to another customer"
    ),
    "Product Viewed": EventDescription(
        gettext_noop("You looked at an offer"), "Looked at an offer", _property_details("name")
    ),
    "Product Added": EventDescription(
        gettext_noop("You put something in your cart"), "Put something in the cart"
    ),
    "Checkout Started": EventDescription(
        gettext_noop("You began to order"), "Started an order", _property_details("name")
    ),
    "Call Started": EventDescription(gettext_noop("You called us"), "Called"),
    "Call Answered": EventDescription(gettext_noop("We answered your call"), "Call answered"),
    "Call Ended": EventDescription(gettext_noop("The call ended"), "Call ended"),
    "Ticket Scanned": EventDescription(
        gettext_noop("You came through the gate"), "Came through the gate", _scan_details
    ),
    "Ticket Scanned Again": EventDescription(
        gettext_noop("You came through the gate again"),
        "Came through the gate again",
        _scan_details,
    ),
    "Ticket Admitted Twice": EventDescription(
        gettext_noop("Your ticket was used twice"), "Ticket was admitted twice", _scan_details
    ),
    "Ticket Refused": EventDescription(
        gettext_noop("The gate refused your ticket"), "The gate refused the ticket", _scan_details
    ),
    "Ticket Code Replaced": EventDescription(
        gettext_noop("Your ticket got a new code"), "The ticket got a new code"
    ),
    "Order Looked Up": EventDescription(
        gettext_noop("We looked up your order"), "Looked up the order", _scan_details
    ),
    "Card Scanned": EventDescription(
        gettext_noop("You showed your card"), "Showed the card", _scan_details
    ),
    "Party Member Changed": EventDescription(
        gettext_noop("Your party was changed"),
        "Party member changed",
        _property_details("name"),
    ),
    "Party Member Removed": EventDescription(
        gettext_noop("A person left your party"), "Party member removed"
    ),
    "Ride Wait Checked": EventDescription(
        gettext_noop("You looked up a waiting time"), "Looked up a waiting time", _wait_details
    ),
    "Address Proved": EventDescription(gettext_noop("You verified an address"), "Address verified"),
    "Account Opened": EventDescription(
        gettext_noop("You opened an account with your address"), "Account opened by a code"
    ),
    "Message Sent": EventDescription(
        gettext_noop("We sent you a message"), "We sent a message", _channel_details
    ),
    "Message Failed": EventDescription(
        gettext_noop("A message to you did not arrive"),
        "A message did not arrive",
        _channel_details,
    ),
    "Message Uncertain": EventDescription(
        gettext_noop("We do not know whether a message arrived"),
        "Delivery of a message unknown",
        _channel_details,
    ),
    "Message Read": EventDescription(
        gettext_noop("You read a message"), "Read a message", _channel_details
    ),
    "Task Done": EventDescription(
        gettext_noop("A staff member finished a task for you"),
        "Task finished",
        _property_details("title"),
    ),
    "Consent Given": EventDescription(gettext_noop("You said yes"), "Consent given"),
    "Consent Refused": EventDescription(gettext_noop("You said no"), "Consent refused"),
    "Consent Withdrawn": EventDescription(
        gettext_noop("You withdrew your consent"), "Consent withdrawn"
    ),
    "Consent Expired": EventDescription(gettext_noop("Your consent expired"), "Consent expired"),
    "Objection Made": EventDescription(gettext_noop("You objected"), "Objection made"),
    "Objection Lifted": EventDescription(
        gettext_noop("You withdrew your objection"), "Objection withdrawn"
    ),
    "Preference Set": EventDescription(
        gettext_noop("You changed a preference"), "Preference changed"
    ),
    "Preference Cleared": EventDescription(
        gettext_noop("You removed a preference"), "Preference removed"
    ),
    "Signal Received": EventDescription(
        gettext_noop("Your browser or phone sent a signal"), "Signal of a browser or phone"
    ),
    "Records Joined": EventDescription(
        gettext_noop("We joined two of your records"), "Records merged"
    ),
    "Records Parted": EventDescription(
        gettext_noop("We separated a record from yours"), "Records separated"
    ),
    "Event Refiled": EventDescription(
        gettext_noop("We corrected your timeline"), "Event moved to another customer"
    ),
    "Customer Erased": EventDescription(gettext_noop("We erased your record"), "Record erased"),
}
# The descriptions by the kind of event, for names without a description.
_KIND_DESCRIPTIONS = {
    "identify": EventDescription(gettext_noop("You told us about yourself"), "Traits changed"),
    "page": EventDescription(gettext_noop("You visited a page"), "Visited a page"),
    "screen": EventDescription(gettext_noop("You opened a screen"), "Opened a screen"),
    "alias": EventDescription(
        gettext_noop("We linked two of your accounts, addresses or devices"), "Identifiers linked"
    ),
    "group": EventDescription(gettext_noop("You joined a group"), "Joined a group"),
}
