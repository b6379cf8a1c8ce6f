"""Labels of codes for staff, in English, and short texts made of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels.pages.money import format_money
from channels.pages.time import staff_time
from customers.consent.state import Consent
from customers.events.actors import read_actor
from customers.identity.merge_reasons import MergeReason

SOURCE_CHANNELS = {
    "phone": "by phone",
    "web": "website",
    "site": "website",
    "app": "app",
    "store": "at the counter",
    "till": "at the counter",
    "kiosk": "at a kiosk",
    "desk": "at the desk",
    "butler": "Butler",
    "console": "console",
}
MATCH_KINDS = {
    "name": "by name",
    "email": "by e-mail address",
    "phone": "by phone number",
    "card": "by card",
    "order": "by order",
    "user_id": "by account number",
}
IDENTIFIER_KINDS = {
    "email": "E-mail",
    "phone": "Phone",
    "card": "Card",
    "user_id": "Account",
    "order": "Order",
}
CHANNEL_NAMES = {"inbox": "Inbox", "email": "E-mail", "sms": "SMS", "phone": "Phone"}
ORDER_STATUSES = {
    "requested": "requested, not confirmed",
    "placed": "confirmed",
    "amended": "changed",
    "partly_refunded": "partly refunded",
    "cancelled": "cancelled",
    "refunded": "refunded",
    "declined": "declined",
    "expired": "expired without an answer",
}
# Sentences about unreadable values in the events of an order, by the code of the doubt.
ORDER_DOUBTS = {
    "unreadable_amount": "An amount could not be read.",
    "ambiguous_amount": "An amount with two meanings, such as “1.234”, was not read.",
    "rounded_amount": "An amount had more decimal places than its currency and was rounded.",
    "other_currency": "An amount in another currency was not read.",
    "unreadable_currency": "The currency could not be read.",
    "unreadable_quantity": "A quantity could not be read.",
    "unreadable_lines": "The lines could not be read.",
    "too_many_lines": "The order has more lines than Butler stores.",
    "unreadable_date": "The date of the visit could not be read.",
    "unreadable_time_of_day": "The time of the visit could not be read.",
    "refund_above_order": "More was refunded than the order costs.",
    "unknown_line": "A line that was cancelled or refunded is not part of the order.",
    "unknown_amount": "The amount of a refund is not known.",
}
# Delivery states of messages, and outcomes of decisions without a message.
MESSAGE_STATES = {
    "send": "about to be sent",
    "defer": "waits",
    "skip": "not sent",
    "person": "passed to staff",
    "queued": "about to be sent",
    "sending": "on its way",
    "accepted": "sent",
    "delivered": "arrived",
    "withdrawn": "withdrawn",
    "suppressed": "not sent",
    "expired": "too late",
    "rejected": "refused",
    "failed": "failed",
    "bounced": "bounced",
    "complained": "unwanted",
    "uncertain": "uncertain",
}
LANGUAGES = {"nl": "Dutch", "sv": "Swedish", "da": "Danish", "en": "English", "de": "German"}
# The reasons why Butler sends no messages to an address.
SUPPRESSIONS = {
    "bounced": "the address does not accept our messages. Ask the customer for another address.",
    "complained": "the customer marked a message as unwanted, so we send no messages to it.",
    "stopped": "the customer texted STOP, so we send no messages to it until they text START from it.",
}
# The customer's answer to a consent question; its date follows.
CONSENT_STATES = {
    "given": "Consent given,",
    "refused": "Consent refused,",
    "withdrawn": "Consent withdrawn,",
    "expired": "Consent expired,",
    "invalidated": "Consent no longer valid,",
}
# The labels of the kinds of events in the filter of a timeline.
EVENT_KINDS = {
    "track": "Orders, visits, calls and other actions",
    "page": "Pages of a website",
    "screen": "Screens of an app",
    "identify": "Statements about the customer",
    "consent": "Consents and preferences",
    "message": "Messages",
    "task": "Tasks",
    "identity": "Merged and separated records",
}
MERGE_REASONS = {
    "proof": "both have the same verified address or number",
    "claim": "an anonymous visit turned out to be theirs",
    "staff": "a colleague merged them",
    "code": "the customer verified both with a code",
    "mailbox": "both were given with the same e-mail address",
    "phone": "both were given with the same phone number",
    "card": "both were given with the same card",
    "number": "both have the same customer number",
    "statement": "a source stated that they belong together",
    "undo": "a colleague undid a separation",
}


def merge_reason(reason: MergeReason) -> str:
    """Return why two records were merged, with the shortened address, card or phone if confirmed."""
    text = MERGE_REASONS[reason.code]
    return f"{text} ({reason.masked})" if reason.masked else text


ACCESSED_PARTS = {
    "page": "their page",
    "record": "their record",
    "search": "a search",
    "list": "a list",
    "order": "an order",
    "orders": "their orders",
    "order requests": "their requests about orders",
    "order-requests": "their requests about orders",
    "timeline": "their timeline",
    "messages": "their messages",
    "tasks": "their tasks",
    "preferences": "their preferences",
    # Entries of the access log from before 0.2.0.
    "control": "their preferences",
    "looks": "their access log",
    "merge": "a review",
    "refiling": "an event to move",
    "call": "their name, when they called",
    "identifiers": "their identifiers",
    "addresses": "their addresses",
    "customer view": "their page as they see it",
    "stream": "their live page",
    "decisions": "decisions about their identifiers",
    "decision-undo": "a decision about their identifiers",
    "gate": "the answer at a gate or till",
    "preview": "a preview of an automation",
    "interactions": "their calls, visits and chats",
    "order-history": "the history of an order",
    "order-tickets": "the codes of an order",
    "order-confirm": "a request about an order",
    "order-decline": "a request about an order",
    "order-cancel": "an order",
    "order-line-cancel": "an order",
    "party": "their party",
    "party-member": "their party",
    "requests": "their service requests",
    "request-close": "a service request",
    "merges": "their merged records",
    "merge-undo": "their merged records",
    "earlier-history-open": "their earlier history",
    "erase": "their record",
    "event-refile": "an event to move",
    "address-changes": "changes of their addresses",
    "address-change-decide": "changes of their addresses",
    "suppressions-lift": "their addresses",
    "message": "a message",
    "message-read": "a message",
    "consents": "their consents",
    "consent": "their consents",
    "objection": "their objections",
    "ledger": "their consent ledger",
    "ledger-export": "their consent ledger",
    "receipt": "a receipt",
    "why": "decisions about messages",
    "access-log": "their access log",
}
_DETAIL_PROPERTIES = (
    "order_id",
    "name",
    "title",
    "outcome",
    "purpose",
    "subject",
    "reason",
    "note",
)


def event_detail(kind: str, name: str, properties: Mapping[str, Any]) -> str:
    """Return the line below a headline: the properties that distinguish similar events."""
    if kind in ("page", "screen"):
        return name
    # The entry names the person who decided.
    if kind == "identity" and properties.get("reason") == "staff":
        return ""
    values = [properties.get(key) for key in _DETAIL_PROPERTIES]
    parts = [str(value) for value in values if isinstance(value, str | int) and value]
    channel = str(properties.get("channel") or "")
    parts.append("" if channel == "*" else CHANNEL_NAMES.get(channel, channel))
    total = properties.get("total")
    if isinstance(total, str | int | float) and total != "":
        parts.append(format_money(str(total), str(properties.get("currency") or "")))
    return " · ".join(part[:120] for part in dict.fromkeys(parts) if part)


def consent_answer(consent: Consent | None) -> str:
    """Return a sentence with the answer and its time, or one for a missing answer."""
    if consent is None:
        return "Not asked yet, so it counts as a no."
    answer = CONSENT_STATES.get(consent.state, consent.state)
    return f"{answer} {staff_time(consent.occurred_at, with_year=True)}."


def source_channel(channel: str) -> str:
    """Return the label of a channel; an unknown channel stays unchanged."""
    return SOURCE_CHANNELS.get(channel, channel)


def actor_name(actor: str) -> str:
    """Return the name of a staff member or source; empty if the customer acted.

    A person whom a source names comes with that source, because nobody checked the name.
    """
    kind, name, person = read_actor(actor)
    shown = person or name
    by = f" (named by {name})" if person else ""
    return f"{shown[:1].upper()}{shown[1:]}{by}" if kind else ""


def decision_maker(kind: str, actor: str) -> str:
    """Return who made an event, and "the customer" for a decision of hers about her records."""
    return "the customer" if kind == "identity" and actor == "customer" else actor_name(actor)


def access_reason(reason: str) -> str:
    """Return the label of a reason to open a record; a typed reason stays unchanged."""
    labels = {"call": "a call", "search": "a search", "task": "a task", "requests": "a request"}
    return labels.get(reason.partition(" ")[0], reason)


def contact_preferences(
    settings: Mapping[str, Any], now: datetime, *, refused_count: int = 0, limit_count: int = 0
) -> list[str]:
    """Return a sentence for each contact preference of the customer.

    settings: the values of the settings that count for every channel and topic, by name
    refused_count: the number of topics and channels that the customer turned off
    limit_count: the number of limits on how many messages the customer gets
    """
    sentences = _contact_sentences(settings, now)
    if refused_count:
        sentences.append(f"Topics or channels turned off: {refused_count}.")
    if limit_count:
        sentences.append(f"Limits on the number of messages: {limit_count}.")
    if zone := settings.get("zone"):
        sentences.append(f"Time zone {zone}.")
    return sentences


def _contact_sentences(settings: Mapping[str, Any], now: datetime) -> list[str]:
    sentences = []
    if settings.get("only_when_i_ask") is True:
        sentences.append("Contact only when they ask.")
    if settings.get("person_first") is True:
        sentences.append("Contact by a person.")
    paused_until = _parse_time(settings.get("pause"))
    if paused_until and paused_until > now:
        sentences.append(f"No messages until {staff_time(paused_until, with_year=True)}.")
    quiet = settings.get("quiet_hours")
    if isinstance(quiet, dict) and quiet.get("from"):
        sentences.append(f"Quiet hours from {quiet['from']} to {quiet.get('to')}.")
    order = settings.get("channel_order")
    if isinstance(order, list | tuple) and order:
        channels = [CHANNEL_NAMES.get(str(channel), str(channel)) for channel in order]
        sentences.append(f"Preferred channels: {', then '.join(channels)}.")
    return sentences


def _parse_time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo else None
