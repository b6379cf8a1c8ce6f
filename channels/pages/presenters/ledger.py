"""One entry of the ledger, in the words of whose it is. No database, no request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.pages.presenters import events
from channels.pages.presenters.decisions import Names
from channels.pages.presenters.preferences import DAYS, PERIOD_NAMES, SHORT
from customers.consent.state import ANY, MARKETING
from customers.queries.shapes import LedgerEntryShape

KINDS = {
    "consent.given": gettext_noop("You said yes"),
    "consent.refused": gettext_noop("You said no"),
    "consent.withdrawn": gettext_noop("You took your yes back"),
    "consent.expired": gettext_noop("Your yes ran out"),
    "objection.made": gettext_noop("You objected"),
    "objection.lifted": gettext_noop("You took your objection back"),
    "preference.set": gettext_noop("You chose"),
    "preference.cleared": gettext_noop("You took a choice back"),
    "signal.received": gettext_noop("Your browser or phone told us"),
}
SETTINGS = {
    "allow": gettext_noop("messages"),
    "budget": gettext_noop("how often"),
    "quiet_hours": gettext_noop("quiet hours"),
    "pause": gettext_noop("silence for a while"),
    "only_when_i_ask": gettext_noop("only when I ask"),
    "zone": gettext_noop("time zone"),
    "language": gettext_noop("language"),
    "channel_order": gettext_noop("which way first"),
    "person_first": gettext_noop("a person first"),
    "data_use": gettext_noop("use of my data where an order needs it"),
}
# Who said it, where it was not the customer.
BY = {
    "staff": gettext_noop("noted by one of our people"),
    "source": gettext_noop("brought by one of our systems"),
    "guardian": gettext_noop("said by a guardian"),
    "clock": gettext_noop("by itself, when its time was over"),
    "signal": gettext_noop("by your device"),
}
# How it was said to one of our people.
HEARD = {
    "voice": gettext_noop("by phone"),
    "staff": gettext_noop("at the counter"),
    "paper": gettext_noop("in writing"),
}


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that was said, when and where."""

    id: UUID
    headline: str
    what: str
    value: str
    by: str
    where: str
    at: datetime


def saying(entry: LedgerEntryShape, names: Names) -> Saying:
    """Word one entry."""
    return Saying(
        id=entry.id,
        headline=events.say(KINDS, entry.kind),
        what=matter(entry.kind, entry.subject, entry.channel, entry.topic, names),
        value=_value(entry),
        by=_by(entry),
        where=_where(entry),
        at=entry.occurred_at,
    )


def _by(entry: LedgerEntryShape) -> str:
    _kind, _sign, name = entry.actor.partition(":")
    # A login without a name acts by its number, which says nothing to anybody.
    if entry.by == "staff" and name and not name.isdecimal():
        return _("noted by %(name)s, one of our people") % {"name": name[:1].upper() + name[1:]}
    return events.say(BY, entry.by) if entry.by in BY else ""


def _where(entry: LedgerEntryShape) -> str:
    # What one of our people notes was said somewhere else than at their desk.
    said = entry.evidence.get("kind", "") if entry.by == "staff" else ""
    return _(HEARD[said]) if said in HEARD else events.say(events.CHANNELS, entry.source_channel)


def matter(kind: str, subject: str, channel: str, topic: str, names: Names) -> str:
    """Say what somebody spoke about; `kind` is that of an entry, such as consent.given."""
    if kind.startswith(("consent.", "objection.")):
        if subject == MARKETING:
            return _("All advertising")
        return names.purposes.get(subject, subject)
    scope = [
        events.say(SHORT, channel) if channel != ANY else "",
        names.topics.get(topic) or names.purposes.get(topic, ""),
    ]
    parts = [events.say(SETTINGS, subject), *filter(None, scope)]
    return " · ".join(parts)


def _value(entry: LedgerEntryShape) -> str:
    value: object = msgspec.json.decode(entry.value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return _mapped(value)
    if isinstance(value, list):
        return ", ".join(events.say(SHORT, str(one)) for one in value)
    return str(value) if value is not None else ""


def _mapped(value: Mapping[str, object]) -> str:
    if "most" in value:
        return f"{value['most']} {events.say(PERIOD_NAMES, str(value.get('per')))}"
    days = value.get("days")
    named = [_(DAYS[day - 1]) for day in days] if isinstance(days, list) else []
    return " ".join([f"{value.get('from')}–{value.get('to')}", *named])
