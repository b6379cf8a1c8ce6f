"""Entries of the timeline on the customer's pages. No database, no request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels.pages.presenters import events, labels, ledger, messages
from channels.pages.presenters.decisions import CatalogNames
from channels.pages.presenters.labels import translated
from customers.consent.state import ANY
from customers.events.actors import read_actor
from customers.queries.shapes import EventShape, body_properties

# The icon of an event, by the channel of its source.
_CHANNEL_ICONS = {
    "phone": "phone",
    "web": "web",
    "site": "web",
    "app": "app",
    "store": "store",
    "till": "store",
    "kiosk": "store",
}


@dataclass(frozen=True, slots=True)
class ReferenceNames:
    """The names of the messages, purposes and topics that events refer to by id or key."""

    message_subjects: Mapping[str, str] = field(default_factory=dict)
    catalog: CatalogNames = field(default_factory=lambda: CatalogNames({}, {}))


NO_NAMES = ReferenceNames()


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event on the customer's page."""

    version: int
    log: str
    headline: str
    detail: str
    channel: str
    icon: str
    # Channel and staff member, such as "by phone, Sam".
    where: str
    is_claimed: bool
    occurred_at: datetime
    recorded_ms: int


def timeline_entry(event: EventShape, names: ReferenceNames = NO_NAMES) -> TimelineEntry:
    """Return the timeline entry of one event."""
    event_properties = body_properties(event)
    return TimelineEntry(
        version=event.version,
        log=str(event.customer),
        headline=events.headline(event.kind, event.name, event_properties),
        detail=_detail(event, event_properties, names),
        channel=event.channel,
        icon=_icon(event, event_properties),
        where=", ".join(filter(None, (_source_channel(event), _staff_name(event.actor)))),
        is_claimed=is_claimed(event),
        occurred_at=event.occurred_at,
        recorded_ms=int(event.recorded_at.timestamp() * 1000),
    )


def without_copies(events: Iterable[EventShape]) -> list[EventShape]:
    """Return the events with each merge once. Both records of a merge have it on their logs."""
    by_content = {
        (event.name, event.occurred_at, bytes(event.body))
        if event.kind == "identity"
        else (event.customer, event.version): event
        for event in reversed(list(events))
    }
    return list(by_content.values())[::-1]


def is_claimed(event: EventShape) -> bool:
    """Tell whether nobody checked what an event says.

    A customer token proves who did something in an app. It does not prove traits, nor what happened
    to an order.
    """
    states_facts = event.kind not in ("track", "page", "screen") or bool(event.about)
    return not event.is_verified and (states_facts or not event.is_signed_in)


def message_id_of(event: EventShape) -> str:
    """Return the id of the message that an event is about, or an empty text."""
    return str(body_properties(event).get("message", "")) if event.kind == "message" else ""


def _detail(event: EventShape, event_properties: dict[str, Any], names: ReferenceNames) -> str:
    if event.kind == "consent":
        return statement_details(event.name, event_properties, names.catalog)
    parts = (
        names.message_subjects.get(message_id_of(event), ""),
        events.detail(event.kind, event.name, event_properties),
    )
    return " · ".join(filter(None, parts))


def statement_details(name: str, event_properties: Mapping[str, Any], names: CatalogNames) -> str:
    """Return the subject of a consent statement and its answer, in the reader's language.

    name: the name of the event, such as "Preference Set"
    """
    kind = name.lower().replace(" ", ".", 1)
    subject, channel, topic = (
        str(event_properties.get(key, ANY)) for key in ("subject", "channel", "topic")
    )
    if subject == ANY:
        return ""
    value = event_properties.get("value")
    answer = translated(labels.YES_NO, str(value)) if isinstance(value, bool) else ""
    return ": ".join(
        filter(None, (ledger.subject_label(kind, subject, channel, topic, names), answer))
    )


def _icon(event: EventShape, event_properties: dict[str, Any]) -> str:
    if event.kind == "message":
        return messages.ICONS.get(str(event_properties.get("channel", "")), "butler")
    return channel_icon(event.channel)


def channel_icon(channel: str) -> str:
    """Return the icon of a source's channel; the one of Butler for a channel without its own."""
    return _CHANNEL_ICONS.get(channel, "butler")


def _source_channel(event: EventShape) -> str:
    # Statements come from the customer, and the details of a message name its channel.
    is_plain = event.kind in ("consent", "message")
    return "" if is_plain else translated(labels.SOURCE_CHANNELS, event.channel)


def _staff_name(actor: str) -> str:
    """Return the name of the colleague who acted, or of the person whom the source names."""
    kind, name, person = read_actor(actor)
    return (name if kind == "staff" else person).capitalize()
