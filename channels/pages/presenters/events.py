"""What happened, in the customer's own words and language. No database, no request."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import format_currency, format_decimal
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from butler.messages.filters import locale_for

# Of each event we know: what to call it, addressed to the customer.
HEADLINES = {
    "Order Completed": gettext_noop("You placed an order"),
    "Order Updated": gettext_noop("Your order was changed"),
    "Order Amended": gettext_noop("Your order was changed"),
    "Order Line Cancelled": gettext_noop("Part of your order was cancelled"),
    "Order Cancelled": gettext_noop("Your order was cancelled"),
    "Order Refunded": gettext_noop("You got money back"),
    "Order Requested": gettext_noop("You asked for an order"),
    "Order Change Requested": gettext_noop("You asked to change your order"),
    "Order Line Cancellation Requested": gettext_noop("You asked to cancel part of your order"),
    "Order Cancellation Requested": gettext_noop("You asked to cancel your order"),
    "Order Request Confirmed": gettext_noop("We did what you asked"),
    "Order Request Declined": gettext_noop("We could not do what you asked"),
    "Product Viewed": gettext_noop("You looked at an offer"),
    "Product Added": gettext_noop("You put something in your cart"),
    "Checkout Started": gettext_noop("You began to order"),
    "Call Started": gettext_noop("You called us"),
    "Call Answered": gettext_noop("We picked up"),
    "Call Ended": gettext_noop("The call ended"),
    "Ticket Scanned": gettext_noop("You came through the gate"),
    "Card Scanned": gettext_noop("You showed your card"),
    "Party Member Changed": gettext_noop("Somebody in your party was noted"),
    "Party Member Removed": gettext_noop("Somebody left your party"),
    "Ride Wait Checked": gettext_noop("You looked up a waiting time"),
    "Address Proved": gettext_noop("You proved that an address is yours"),
    "Message Sent": gettext_noop("We sent you a message"),
    "Message Failed": gettext_noop("A message to you did not arrive"),
    "Message Uncertain": gettext_noop("We do not know whether a message arrived"),
    "Message Read": gettext_noop("You read a message"),
    "Task Done": gettext_noop("One of our people did something for you"),
    "Consent Given": gettext_noop("You said yes"),
    "Consent Refused": gettext_noop("You said no"),
    "Consent Withdrawn": gettext_noop("You took your yes back"),
    "Consent Expired": gettext_noop("Your yes ran out"),
    "Objection Made": gettext_noop("You objected"),
    "Objection Lifted": gettext_noop("You took your objection back"),
    "Preference Set": gettext_noop("You changed a preference"),
    "Preference Cleared": gettext_noop("You took a choice back"),
    "Signal Received": gettext_noop("Your browser or phone told us"),
    "Records Joined": gettext_noop("Two of your records became one"),
    "Records Parted": gettext_noop("A record was parted from yours again"),
}
KINDS = {
    "identify": gettext_noop("You told us about yourself"),
    "page": gettext_noop("You visited a page"),
    "screen": gettext_noop("You opened a screen"),
    "alias": gettext_noop("Two names of yours were linked"),
    "group": gettext_noop("You joined a group"),
}
CHANNELS = {
    "phone": gettext_noop("by phone"),
    "web": gettext_noop("on the website"),
    "app": gettext_noop("in the app"),
    "store": gettext_noop("at the counter"),
    "butler": gettext_noop("by Butler"),
    "console": gettext_noop("at our desk"),
}
# How each channel brings a message to its customer.
WAYS = {
    "inbox": gettext_noop("here"),
    "email": gettext_noop("by e-mail"),
    "sms": gettext_noop("by text message"),
    "phone": gettext_noop("by a call"),
}
IDENTIFIERS = {
    "user_id": gettext_noop("Account"),
    "email": gettext_noop("E-mail"),
    "phone": gettext_noop("Phone"),
    "card": gettext_noop("Card"),
    "order": gettext_noop("Order"),
    "anonymous_id": gettext_noop("Browser"),
    "device": gettext_noop("Device"),
}
STATUSES = {
    "requested": gettext_noop("Requested"),
    "placed": gettext_noop("Confirmed"),
    "amended": gettext_noop("Changed"),
    "cancelled": gettext_noop("Cancelled"),
    "refunded": gettext_noop("Refunded"),
    "declined": gettext_noop("Declined"),
    "ordered": gettext_noop("Ordered"),
}
ROLES = {
    "guardian": gettext_noop("guardian"),
    "child": gettext_noop("child"),
    "guest": gettext_noop("guest"),
}
REASONS = {
    "proof": gettext_noop("because the same proved address or number belongs to both"),
    "claim": gettext_noop("because an anonymous visit turned out to be yours"),
    "staff": gettext_noop("because one of our people joined them"),
}


ANSWERS = {"True": gettext_noop("yes"), "False": gettext_noop("no")}


def say(words: Mapping[str, str], key: str) -> str:
    """Return the words for a key in the reader's language; the key itself where we have none."""
    return _(words[key]) if key in words else key


def headline(kind: str, name: str) -> str:
    if name in HEADLINES and kind not in ("page", "screen"):
        return _(HEADLINES[name])
    return _(KINDS[kind]) if kind in KINDS else name or kind


def detail(kind: str, name: str, said: Mapping[str, Any]) -> str:
    """Return the one line below a headline: what of it matters to its customer."""
    if kind in ("page", "screen"):
        return name
    teller = _DETAILS.get(name)
    parts = teller(said) if teller else ()
    return " · ".join(part for part in parts if part)


def requested_change(change: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return in one line what somebody asks to change about an order.

    names: of the order's lines, by id
    """
    listed = change.get("lines")
    lines = [line for line in listed if isinstance(line, dict)] if isinstance(listed, list) else []
    if "line_id" in change:
        lines.append(dict(change))
    party = change.get("party")
    guests = party if isinstance(party, list) else []
    parts = [
        *_change(change),
        *(_quantity(line, names) for line in lines),
        ", ".join(_text(guest, "name") for guest in guests if isinstance(guest, dict)),
        _text(change, "name"),
        _text(change, "note"),
    ]
    return " · ".join(part[:120] for part in parts if part)


def _quantity(line: Mapping[str, Any], names: Mapping[str, str]) -> str:
    line_id, quantity = _text(line, "line_id"), _text(line, "quantity")
    name = _text(line, "name") or names.get(line_id) or line_id
    return f"{quantity}× {name}" if quantity else name


def money(amount: str, currency: str) -> str:
    """Write an amount the reader's way, as our letters do; nothing where it is no amount."""
    try:
        number = Decimal(amount).quantize(Decimal("0.01"))
    except InvalidOperation:
        return ""
    written = locale_for(get_language() or "en")
    if not number.is_finite():
        return ""
    if not currency:
        return format_decimal(number, "#,##0.00", locale=written)
    return format_currency(number, currency, locale=written)


def _order(said: Mapping[str, Any]) -> tuple[str, ...]:
    total = money(_text(said, "total"), _text(said, "currency"))
    return _text(said, "name"), total, _text(said, "order_id")


def _change(said: Mapping[str, Any]) -> tuple[str, ...]:
    when = ", ".join(filter(None, (_day(_text(said, "visit_date")), _text(said, "visit_time")[:5])))
    arrival = _("arrival %(when)s") % {"when": when} if when else ""
    return _text(said, "order_id"), arrival, _text(said, "reason")


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{date_format(day, _('D j M'))} {day.year}"


def _line(said: Mapping[str, Any]) -> tuple[str, ...]:
    return _text(said, "order_id"), _text(said, "name") or _text(said, "line_id")


def _wait(said: Mapping[str, Any]) -> tuple[str, ...]:
    minutes = _text(said, "posted_minutes")
    wait = _("%(minutes)s minutes") % {"minutes": minutes} if minutes else ""
    return _text(said, "name"), wait


def _scan(said: Mapping[str, Any]) -> tuple[str, ...]:
    return _text(said, "order_id") or _text(said, "card") or _text(said, "code"), _text(
        said, "till"
    )


def _name(said: Mapping[str, Any]) -> tuple[str, ...]:
    return (_text(said, "name"),)


def _way(said: Mapping[str, Any]) -> tuple[str, ...]:
    return (say(WAYS, _text(said, "channel")),)


def _title(said: Mapping[str, Any]) -> tuple[str, ...]:
    return (_text(said, "title"),)


_DETAILS: dict[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    "Order Completed": _order,
    "Order Updated": _order,
    "Order Amended": _change,
    "Order Cancelled": _change,
    "Order Line Cancelled": _line,
    "Order Requested": _order,
    "Order Change Requested": _change,
    "Order Line Cancellation Requested": _line,
    "Order Cancellation Requested": _change,
    "Order Request Declined": _change,
    "Product Viewed": _name,
    "Checkout Started": _name,
    "Party Member Changed": _name,
    "Ride Wait Checked": _wait,
    "Ticket Scanned": _scan,
    "Card Scanned": _scan,
    "Message Sent": _way,
    "Message Read": _way,
    "Message Failed": _way,
    "Message Uncertain": _way,
    "Task Done": _title,
}


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return str(value) if isinstance(value, str | int | float) else ""
