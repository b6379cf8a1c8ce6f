"""What happened, in words for colleagues. In English: it is what the desk speaks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

from channels.pages.presenters.events import money
from customers.consent.state import Consent

HEADLINES = {
    "Order Completed": "Placed an order",
    "Order Updated": "Order changed",
    "Order Amended": "Order changed",
    "Order Line Cancelled": "Part of an order cancelled",
    "Order Cancelled": "Order cancelled",
    "Order Refunded": "Money back",
    "Order Requested": "Asked for an order",
    "Order Change Requested": "Asked to change an order",
    "Order Line Cancellation Requested": "Asked to cancel part of an order",
    "Order Cancellation Requested": "Asked to cancel an order",
    "Order Request Confirmed": "What they asked was done",
    "Order Request Declined": "What they asked was declined",
    "Product Viewed": "Looked at an offer",
    "Product Added": "Put something in the cart",
    "Checkout Started": "Began to order",
    "Call Started": "Called",
    "Call Answered": "Call answered",
    "Call Ended": "Call ended",
    "Ticket Scanned": "Came through the gate",
    "Card Scanned": "Showed the card",
    "Party Member Changed": "Party: somebody was noted",
    "Party Member Removed": "Party: somebody left",
    "Ride Wait Checked": "Looked up a waiting time",
    "Address Proved": "Proved an address",
    "Message Sent": "We sent a message",
    "Message Failed": "A message did not arrive",
    "Message Uncertain": "A message may have arrived, or not",
    "Message Read": "Read a message",
    "Task Done": "A colleague did something for them",
    "Consent Given": "Said yes",
    "Consent Refused": "Said no",
    "Consent Withdrawn": "Took a yes back",
    "Consent Expired": "A yes ran out",
    "Objection Made": "Objected",
    "Objection Lifted": "Took an objection back",
    "Preference Set": "Made a choice",
    "Preference Cleared": "Took a choice back",
    "Signal Received": "A browser or phone told us",
    "Records Joined": "Two records became one",
    "Records Parted": "Two records were parted",
}
KINDS = {
    "identify": "Told us something",
    "page": "Visited a page",
    "screen": "Opened a screen",
    "alias": "Two names were linked",
    "group": "Joined a group",
}
WHERE = {
    "phone": "by phone",
    "web": "website",
    "app": "app",
    "store": "at the counter",
    "butler": "Butler",
    "console": "console",
}
FOUND_BY = {
    "name": "by name",
    "email": "by e-mail address",
    "phone": "by phone number",
    "card": "by card",
    "order": "by order",
}
IDENTIFIERS = {
    "email": "E-mail",
    "phone": "Phone",
    "card": "Card",
    "user_id": "Account",
    "order": "Order",
}
CHANNELS = {"inbox": "Inbox", "email": "E-mail", "sms": "SMS", "phone": "Phone"}
STATUSES = {
    "requested": "requested, not confirmed",
    "placed": "confirmed",
    "amended": "changed",
    "cancelled": "cancelled",
    "refunded": "refunded",
    "declined": "declined",
}
# What became of a message, or was decided where there is none.
BECAME = {
    "send": "about to go",
    "defer": "waits",
    "skip": "not sent",
    "person": "left to us",
    "queued": "about to go",
    "sending": "on its way",
    "accepted": "sent",
    "delivered": "arrived",
    "withdrawn": "taken back",
    "suppressed": "not sent",
    "expired": "too late",
    "rejected": "refused",
    "failed": "failed",
    "bounced": "bounced",
    "complained": "unwanted",
    "uncertain": "uncertain",
}
LANGUAGES = {"nl": "Dutch", "sv": "Swedish", "da": "Danish", "en": "English", "de": "German"}
# Why nothing goes to an address, whatever is switched on.
CLOSED = {
    "bounced": "does not take our messages. Ask them for another one.",
    "complained": "they marked a message as unwanted, so nothing goes there.",
    "stopped": "they texted STOP, so nothing goes there. Only START, texted from it, opens it again.",
}
# What somebody said of a purpose; the day comes behind it.
ANSWERED = {
    "given": "Said yes,",
    "refused": "Said no,",
    "withdrawn": "Took a yes back,",
    "expired": "A yes ran out,",
    "invalidated": "A yes that no longer counts,",
}
REASONS = {
    "proof": "the same proved address or number belongs to both",
    "claim": "an anonymous visit turned out to be theirs",
    "staff": "a colleague joined them",
}
LOOKED_AT = {
    "page": "their page",
    "record": "their record",
    "search": "a search",
    "list": "a list",
    "order": "an order",
    "orders": "their orders",
    "timeline": "what happened",
    "messages": "what we told them",
    "tasks": "what there is to do",
    "control": "what they allow",
    "looks": "who looked",
    "merge": "a question of who is who",
}
_TOLD = ("order_id", "name", "title", "outcome", "purpose", "subject", "reason", "note")


def headline(kind: str, name: str) -> str:
    if name in HEADLINES and kind not in ("page", "screen"):
        return HEADLINES[name]
    return KINDS.get(kind) or name or kind


def detail(kind: str, name: str, said: Mapping[str, Any]) -> str:
    """Return the line below a headline: whatever of it tells one event from another."""
    if kind in ("page", "screen"):
        return name
    parts = [str(said[key]) for key in _TOLD if isinstance(said.get(key), str | int) and said[key]]
    channel = str(said.get("channel") or "")
    parts.append("" if channel == "*" else CHANNELS.get(channel, channel))
    total = said.get("total")
    if isinstance(total, str | int | float) and total != "":
        parts.append(money(str(total), str(said.get("currency") or "")))
    return " · ".join(part[:120] for part in dict.fromkeys(parts) if part)


def answered(consent: Consent | None) -> str:
    if consent is None:
        return "Not asked yet, so it is a no."
    said = ANSWERED.get(consent.state, consent.state)
    return f"{said} {localtime(consent.occurred_at):%-d %b %Y, %H:%M}."


def where(channel: str) -> str:
    return WHERE.get(channel, channel)


def actor(text: str) -> str:
    """Return who acted, as colleagues call them; empty: the customer did."""
    kind, _, name = text.partition(":")
    return name[:1].upper() + name[1:] if kind in ("staff", "source") else ""


def opened_for(reason: str) -> str:
    """Say why a record was opened; what somebody wrote stays as it is."""
    known = {"call": "a call", "search": "a search", "task": "a task"}
    return known.get(reason.partition(" ")[0], reason)


def wishes(settings: Mapping[str, Any], now: datetime) -> list[str]:
    """Say how somebody wants to be spoken to, one sentence a wish that holds everywhere."""
    said = []
    if settings.get("only_when_i_ask") is True:
        said.append("Only when they ask.")
    if settings.get("person_first") is True:
        said.append("A person first, no machine.")
    paused = _moment(settings.get("pause"))
    if paused and paused > now:
        said.append(f"No messages until {localtime(paused):%-d %b %Y, %H:%M}.")
    quiet = settings.get("quiet_hours")
    if isinstance(quiet, dict) and quiet.get("from"):
        said.append(f"Quiet from {quiet['from']} to {quiet.get('to')}.")
    order = settings.get("channel_order")
    if isinstance(order, list | tuple) and order:
        said.append(
            "Rather by " + ", then ".join(CHANNELS.get(str(c), str(c)) for c in order) + "."
        )
    return said


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None
