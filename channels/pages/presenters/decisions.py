"""Decisions about messages, and the access log, for the customer's pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from butler.decisions.reasons.catalog import sentence, setting_of
from butler.queries.decisions import AccessLogEntryShape, DecisionShape, OccasionShape
from channels.pages.presenters import messages
from channels.pages.presenters.labels import MESSAGE_CHANNELS, translated
from channels.pages.time import day_and_time
from customers.queries.consent_shapes import PurposeShape, TopicShape

# Labels of outcomes for which no message exists.
OUTCOMES = {
    "send": gettext_noop("about to be sent"),
    "defer": gettext_noop("waits"),
    "skip": gettext_noop("not sent"),
    "person": gettext_noop("passed to a staff member"),
}
# The names of the parts of a record in the access log, and the reasons of accesses.
ACCESSED_PARTS = {
    "page": gettext_noop("your page"),
    "search": gettext_noop("your name in a search"),
    "order": gettext_noop("an order of yours"),
    "timeline": gettext_noop("your timeline"),
    "list": gettext_noop("your name in a list"),
    "orders": gettext_noop("your orders"),
    "party": gettext_noop("your party"),
    "messages": gettext_noop("your messages"),
    "why": gettext_noop("our decisions about messages to you"),
    "preferences": gettext_noop("your consents and preferences"),
    # Entries of the access log from before 0.2.0.
    "control": gettext_noop("your consents and preferences"),
    "tasks": gettext_noop("our tasks for you"),
    "looks": gettext_noop("your access log"),
    "merge": gettext_noop("two records that may both be yours"),
    "addresses": gettext_noop("your addresses"),
    "stream": gettext_noop("your page"),
    "customer view": gettext_noop("your page as you see it"),
    "refiling": gettext_noop("an event that may not be yours"),
    "order-tickets": gettext_noop("the code of a ticket of yours"),
    "identifiers": gettext_noop("your accounts and addresses"),
    "order requests": gettext_noop("your requests about orders"),
    "order-requests": gettext_noop("your requests about orders"),
    "call": gettext_noop("your name, when you called"),
    "gate": gettext_noop("your visit, at the gate or the counter"),
}
# Any other part.
OTHER_PART = gettext_noop("your record")
ACCESS_REASONS = {
    "search": gettext_noop("after a search"),
    "call": gettext_noop("because you called"),
    "task": gettext_noop("because of a task for you"),
    "visit": gettext_noop("because of your visit"),
}
# The roles of the readers of a record.
ACCESS_ROLES = {
    "api": gettext_noop("one of our systems"),
    "desk": gettext_noop("call desk"),
    "till": gettext_noop("till"),
    "marketer": gettext_noop("marketing"),
    "privacy officer": gettext_noop("privacy"),
    "manager": gettext_noop("manager"),
}


class DecidedContact(msgspec.Struct, frozen=True):
    """The contact that a decision was about."""

    topic: str = ""
    channel: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class CatalogNames:
    """Names of purposes and topics in the reader's language."""

    purposes: Mapping[str, str]
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ChannelOutcome:
    """The last decision on one channel."""

    icon: str
    channel: str
    outcome: str
    is_sent: bool
    reason: str
    # The anchor of the setting on the Preferences page that can change it; empty if none.
    setting: str
    message: UUID | None


@dataclass(frozen=True, slots=True)
class OccasionCard:
    """One occasion to send a message, with the outcome on each channel."""

    id: UUID
    title: str
    subject: str
    at: datetime
    outcomes: Sequence[ChannelOutcome]


@dataclass(frozen=True, slots=True)
class AccessLogRow:
    """One access to the record, or several consecutive ones with the same attributes."""

    at: datetime
    actor: str
    role: str
    part: str
    reason: str
    count: int = 1


def catalog_names(purposes: Iterable[PurposeShape], topics: Iterable[TopicShape]) -> CatalogNames:
    """Return the names of the purposes and of the topics, by key."""
    return CatalogNames(
        {purpose.key: purpose.name for purpose in purposes},
        {topic.key: topic.name for topic in topics},
    )


def occasion_card(occasion: OccasionShape, names: CatalogNames, language: str) -> OccasionCard:
    """Present the decisions of one occasion."""
    automation_name = occasion.name.get(language) or occasion.name.get("en") or ""
    contacts = [
        msgspec.json.decode(decision.act, type=DecidedContact) for decision in occasion.decisions
    ]
    topic = next(
        (names.topics.get(contact.topic, contact.topic) for contact in contacts if contact.topic),
        "",
    )
    outcomes = [
        _channel_outcome(decision, contact, names, automation_name, language)
        for decision, contact in zip(occasion.decisions, contacts, strict=True)
    ]
    return OccasionCard(
        id=occasion.id,
        title=automation_name or topic or _("A message"),
        subject=next((decision.subject for decision in occasion.decisions if decision.subject), ""),
        at=occasion.decided_at,
        outcomes=outcomes,
    )


def _channel_outcome(
    decision: DecisionShape,
    contact: DecidedContact,
    names: CatalogNames,
    automation: str,
    language: str,
) -> ChannelOutcome:
    is_sent = decision.outcome == "send"
    facts = _sentence_facts(decision, contact, names, automation)
    setting = setting_of(decision.code, contact.purpose) or ("channels" if is_sent else "")
    return ChannelOutcome(
        icon=messages.ICONS.get(contact.channel, "why"),
        channel=translated(MESSAGE_CHANNELS, contact.channel),
        outcome=_outcome_label(decision, contact.channel),
        is_sent=is_sent,
        reason=sentence(decision.code, language, facts),
        setting=anchor(setting),
        message=decision.message if decision.state else None,
    )


def _sentence_facts(
    decision: DecisionShape, contact: DecidedContact, names: CatalogNames, automation: str
) -> dict[str, str]:
    """Return the values for the placeholders of a decision's sentence."""
    return {
        "purpose": names.purposes.get(contact.purpose, contact.purpose),
        "topic": names.topics.get(contact.topic, contact.topic),
        "channel": contact.channel,
        "automation": automation,
        "until": _moment(decision.until),
    }


def anchor(setting: str) -> str:
    """Return the anchor of a setting on the Preferences page."""
    return setting.replace(":", "-").replace("_", "-")


def _outcome_label(decision: DecisionShape, channel: str) -> str:
    if decision.state:
        return messages.delivery_state(channel, decision.state)
    outcome = translated(OUTCOMES, decision.outcome)
    if decision.outcome == "defer" and decision.until:
        return f"{outcome}, {_moment(decision.until)}"
    return outcome


def _moment(until: datetime | None) -> str:
    return day_and_time(until) if until else ""


def access_log_rows(entries: Iterable[AccessLogEntryShape]) -> list[AccessLogRow]:
    """Return rows for access log entries, newest first; equal consecutive ones become one row."""
    rows = groupby(map(access_log_row, entries), key=_attributes)
    groups = [list(group) for _key, group in rows]
    return [replace(group[0], count=len(group)) for group in groups]


def _attributes(row: AccessLogRow) -> tuple[str, str, str, str]:
    return row.actor, row.role, row.part, row.reason


def access_log_row(entry: AccessLogEntryShape) -> AccessLogRow:
    """Return the row of an access log entry, of a staff member or of a system."""
    kind, _sign, name = entry.actor.partition(":")
    return AccessLogRow(
        at=entry.at,
        actor=(name or kind).capitalize() if kind == "staff" else name or kind,
        role=translated(ACCESS_ROLES, entry.role) if entry.role != "staff" else "",
        part=_(ACCESSED_PARTS.get(entry.what, OTHER_PART)),
        # The reference of a call is left out, because it means nothing to customers.
        reason=translated(
            ACCESS_REASONS, "call" if entry.reason.startswith("call ") else entry.reason
        ),
    )
