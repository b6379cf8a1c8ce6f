"""The messages that Butler may send to a customer now, by channel, with the reasons.

The functions read no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from butler.decisions.decide import decide
from butler.decisions.reasons.catalog import sentence
from butler.types import Contact, Facts, Rules
from channels.console.presenters import labels
from channels.pages.time import staff_time

CHANNELS = ("phone", "inbox", "email", "sms")
# The largest number of marketing purposes in the list.
PURPOSES_LIMIT = 3
_ANSWERS = {"allow": "Yes", "defer": "Later", "deny": "No"}


@dataclass(frozen=True, slots=True)
class ChannelPermission:
    """The decision whether a message may be sent on some channels now, and its reason."""

    channel: str
    effect: str
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContactPermission:
    """A typical message, with the permissions of the channels."""

    label: str
    channels: Sequence[ChannelPermission]


def contact_permissions(
    facts: Facts, rules: Rules, purposes: Mapping[str, str], *, now: datetime, until: datetime
) -> list[ContactPermission]:
    """Return for some typical messages whether each channel may send them now.

    purposes: the names of the contact purposes, by key
    until: the time at which these messages would expire
    """
    topic = next(iter(sorted(rules.topics)), "")
    service = Contact(
        message_class="service",
        topic=topic,
        channel="",
        occurred_at=now,
        expires_at=until,
        relation=_live_relation(facts, now),
    )
    messages = [("Messages about their visit or order", service)]
    for key, name in list(purposes.items())[:PURPOSES_LIMIT]:
        marketing = replace(service, message_class="marketing", purpose=key, relation="")
        messages.append((name, marketing))
    return [
        ContactPermission(label, _channel_permissions(message, facts, rules, now, label))
        for label, message in messages
    ]


def _live_relation(facts: Facts, now: datetime) -> str:
    """Return the live relation that ends last; empty if there is none."""
    live = [
        (relation.until, name)
        for name, relation in (facts.relations or {}).items()
        if relation.since <= now < relation.until
    ]
    return max(live)[1] if live else ""


def _channel_permissions(
    message: Contact, facts: Facts, rules: Rules, now: datetime, label: str
) -> list[ChannelPermission]:
    """Return the permissions of the channels; channels with the same answer share one."""
    channels: dict[tuple[str, str], list[str]] = {}
    for channel in CHANNELS:
        contact = replace(message, channel=channel)
        decision = decide(contact, facts, rules, now)
        until = staff_time(decision.until) if decision.until else ""
        names = {"purpose": label, "channel": channel, "until": until}
        reason = sentence(decision.code, "en", names)
        channels.setdefault((decision.effect, reason), []).append(labels.CHANNEL_NAMES[channel])
    return [
        ChannelPermission(_joined(names), effect, _ANSWERS[effect], reason)
        for (effect, reason), names in channels.items()
    ]


def _joined(channels: Sequence[str]) -> str:
    return "Any channel" if len(channels) == len(CHANNELS) else ", ".join(channels)
