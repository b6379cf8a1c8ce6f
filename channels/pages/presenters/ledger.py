"""Entries of the consent ledger for the customer's page. No database, no request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.pages.presenters.decisions import CatalogNames
from channels.pages.presenters.labels import (
    CHANNEL_NAMES,
    PERIOD_NAMES,
    SOURCE_CHANNELS,
    WEEKDAYS,
    translated,
)
from customers.consent.state import ANY, MARKETING
from customers.queries.consent_shapes import LedgerEntryShape

STATEMENT_KINDS = {
    "consent.given": gettext_noop("You said yes"),
    "consent.refused": gettext_noop("You said no"),
    "consent.withdrawn": gettext_noop("You withdrew your consent"),
    "consent.expired": gettext_noop("Your consent expired"),
    "objection.made": gettext_noop("You objected"),
    "objection.lifted": gettext_noop("You withdrew your objection"),
    "preference.set": gettext_noop("You set a preference"),
    "preference.cleared": gettext_noop("You removed a preference"),
    "signal.received": gettext_noop("Your browser or phone sent a signal"),
}
SETTING_NAMES = {
    "allow": gettext_noop("messages"),
    "budget": gettext_noop("how often"),
    "quiet_hours": gettext_noop("quiet hours"),
    "pause": gettext_noop("message pause"),
    "only_when_i_ask": gettext_noop("contact only when I ask"),
    "zone": gettext_noop("time zone"),
    "language": gettext_noop("language"),
    "channel_order": gettext_noop("order of channels"),
    "person_first": gettext_noop("contact by a person"),
    "data_use": gettext_noop("use of my data if an order needs it"),
}
SIGNAL_NAMES = {
    "sms_stop": gettext_noop("STOP by text message"),
    "sms_start": gettext_noop("START by text message"),
    "gpc": gettext_noop("signal of your browser: do not sell or share my data"),
}
# The declarants of statements other than the customer.
DECLARANTS = {
    "staff": gettext_noop("recorded by a staff member"),
    "source": gettext_noop("sent by one of our systems"),
    "guardian": gettext_noop("stated by a guardian"),
    "clock": gettext_noop("automatically, when the time was over"),
    "signal": gettext_noop("by your device"),
}
# The ways in which a customer makes a statement to staff.
EVIDENCE_KINDS = {
    "voice": gettext_noop("by phone"),
    "staff": gettext_noop("at the counter"),
    "paper": gettext_noop("in writing"),
}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One statement: its subject, its value, who made it, where and when."""

    id: UUID
    headline: str
    subject: str
    value: str
    declarant: str
    where: str
    at: datetime


def ledger_row(entry: LedgerEntryShape, names: CatalogNames) -> LedgerRow:
    """Return the row of one ledger entry, in the reader's language."""
    return LedgerRow(
        id=entry.id,
        headline=translated(STATEMENT_KINDS, entry.kind),
        subject=subject_label(entry.kind, entry.subject, entry.channel, entry.topic, names),
        value=_value(entry),
        declarant=_declarant(entry),
        where=_where(entry),
        at=entry.occurred_at,
    )


def _declarant(entry: LedgerEntryShape) -> str:
    _kind, _sign, name = entry.actor.partition(":")
    # A login without a name has its number here, which means nothing to customers.
    if entry.by == "staff" and name and not name.isdecimal():
        return _("recorded by %(name)s (staff)") % {"name": name[:1].upper() + name[1:]}
    return translated(DECLARANTS, entry.by) if entry.by in DECLARANTS else ""


def _where(entry: LedgerEntryShape) -> str:
    # For a statement that staff recorded, the evidence says where the customer made it.
    evidence_kind = entry.evidence.get("kind", "") if entry.by == "staff" else ""
    return (
        _(EVIDENCE_KINDS[evidence_kind])
        if evidence_kind in EVIDENCE_KINDS
        else translated(SOURCE_CHANNELS, entry.source_channel)
    )


def subject_label(kind: str, subject: str, channel: str, topic: str, names: CatalogNames) -> str:
    """Return the label of a statement's subject; `kind` is the entry's, such as consent.given."""
    if kind.startswith(("consent.", "objection.")):
        if subject == MARKETING:
            return _("All advertising")
        return names.purposes.get(subject, subject)
    if kind == "signal.received":
        return translated(SIGNAL_NAMES, subject)
    scope = [
        translated(CHANNEL_NAMES, channel) if channel != ANY else "",
        names.topics.get(topic) or names.purposes.get(topic, ""),
    ]
    parts = [translated(SETTING_NAMES, subject), *filter(None, scope)]
    return " · ".join(parts)


def _value(entry: LedgerEntryShape) -> str:
    value: object = msgspec.json.decode(entry.value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return _mapping_text(value)
    if isinstance(value, list):
        return ", ".join(translated(CHANNEL_NAMES, str(channel)) for channel in value)
    return str(value) if value is not None else ""


def _mapping_text(value: Mapping[str, object]) -> str:
    if "most" in value:
        return f"{value['most']} {translated(PERIOD_NAMES, str(value.get('per')))}"
    days = value.get("days")
    weekdays = [_(WEEKDAYS[day - 1]) for day in days] if isinstance(days, list) else []
    return " ".join([f"{value.get('from')}–{value.get('to')}", *weekdays])
