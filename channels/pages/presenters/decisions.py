"""Why a message came or did not, in the customer's words, and where that can be changed."""

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
from channels.pages.presenters import events, messages
from channels.pages.time import day_and_time
from customers.queries.shapes import PurposeShape, TopicShape

# What was decided, where nothing became of a message yet.
OUTCOMES = {
    "send": gettext_noop("about to be sent"),
    "defer": gettext_noop("waits"),
    "skip": gettext_noop("not sent"),
    "person": gettext_noop("left to one of our people"),
}
# What somebody looked at, and why.
LOOKED_AT = {
    "page": gettext_noop("your page"),
    "search": gettext_noop("your name in a search"),
    "order": gettext_noop("an order of yours"),
    "timeline": gettext_noop("what happened to you here"),
    "list": gettext_noop("your name in a list"),
    "orders": gettext_noop("your orders"),
    "party": gettext_noop("your party"),
    "messages": gettext_noop("what we told you"),
    "why": gettext_noop("why you heard from us, or did not"),
    "control": gettext_noop("what you allow us"),
    "tasks": gettext_noop("what there is to do for you"),
    "looks": gettext_noop("who looked at your record"),
    "merge": gettext_noop("whether two records are both yours"),
}
# Anything else that a system may have read.
LOOKED_ELSEWHERE = gettext_noop("your record")
LOOKED_WHY = {
    "search": gettext_noop("after a search"),
    "call": gettext_noop("because you called"),
    "task": gettext_noop("because there was something to do for you"),
    "visit": gettext_noop("because of your visit"),
}
# As what somebody looked: a role of the console, or none.
LOOKED_AS = {
    "api": gettext_noop("one of our systems"),
    "desk": gettext_noop("call desk"),
    "till": gettext_noop("till"),
    "marketer": gettext_noop("marketing"),
    "privacy officer": gettext_noop("privacy"),
    "manager": gettext_noop("manager"),
}


class Act(msgspec.Struct, frozen=True):
    """What the message would be."""

    topic: str = ""
    channel: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What purposes and topics are called in the reader's language."""

    purposes: Mapping[str, str]
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The last word on one channel."""

    icon: str
    way: str
    verdict: str
    is_sent: bool
    why: str
    # The place on the page of preferences where it can be changed; empty: nowhere.
    setting: str
    message: UUID | None


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time that there was something to say."""

    id: UUID
    title: str
    subject: str
    at: datetime
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Glance:
    """Somebody looked at the record, once or several times in a row."""

    at: datetime
    who: str
    role: str
    what: str
    why: str
    times: int = 1


def names_of(purposes: Iterable[PurposeShape], topics: Iterable[TopicShape]) -> Names:
    return Names({one.key: one.name for one in purposes}, {one.key: one.name for one in topics})


def occasion(found: OccasionShape, names: Names, language: str) -> Occasion:
    """Word what was decided at one time."""
    called = found.name.get(language) or found.name.get("en") or ""
    acts = [msgspec.json.decode(decision.act, type=Act) for decision in found.decisions]
    topic = next((names.topics.get(act.topic, act.topic) for act in acts if act.topic), "")
    answers = [
        _answer(decision, act, names, called, language)
        for decision, act in zip(found.decisions, acts, strict=True)
    ]
    return Occasion(
        id=found.id,
        title=called or topic or _("A message"),
        subject=next((one.subject for one in found.decisions if one.subject), ""),
        at=found.decided_at,
        answers=answers,
    )


def _answer(
    decision: DecisionShape, act: Act, names: Names, automation: str, language: str
) -> Answer:
    is_sent = decision.outcome == "send"
    facts = {
        "purpose": names.purposes.get(act.purpose, act.purpose),
        "topic": names.topics.get(act.topic, act.topic),
        "channel": act.channel,
        "automation": automation,
        "until": _moment(decision.until),
    }
    setting = setting_of(decision.code, act.purpose) or ("channels" if is_sent else "")
    return Answer(
        icon=messages.ICONS.get(act.channel, "why"),
        way=events.say(events.WAYS, act.channel),
        verdict=_verdict(decision, act.channel),
        is_sent=is_sent,
        why=sentence(decision.code, language, facts),
        setting=anchor(setting),
        message=decision.message if decision.state else None,
    )


def anchor(setting: str) -> str:
    """Return where a setting is on the page of preferences: the id of its place."""
    return setting.replace(":", "-").replace("_", "-")


def _verdict(decision: DecisionShape, channel: str) -> str:
    if decision.state:
        return messages.became(channel, decision.state)
    said = events.say(OUTCOMES, decision.outcome)
    if decision.outcome == "defer" and decision.until:
        return f"{said}, {_moment(decision.until)}"
    return said


def _moment(until: datetime | None) -> str:
    return day_and_time(until) if until else ""


def glances(looks: Iterable[AccessLogEntryShape]) -> list[Glance]:
    """Word looks, newest first; the same look again and again is one line with a count."""
    alike = groupby(map(glance, looks), key=lambda one: (one.who, one.role, one.what, one.why))
    found = [list(group) for _key, group in alike]
    return [replace(group[0], times=len(group)) for group in found]


def glance(look: AccessLogEntryShape) -> Glance:
    """Word a look; a system is called by its name as a person is."""
    kind, _sign, name = look.actor.partition(":")
    return Glance(
        at=look.at,
        who=(name or kind).capitalize() if kind == "staff" else name or kind,
        role=events.say(LOOKED_AS, look.role) if look.role != "staff" else "",
        what=_(LOOKED_AT.get(look.what, LOOKED_ELSEWHERE)),
        # A call is named by its reference, which says nothing to whoever called.
        why=events.say(LOOKED_WHY, "call" if look.reason.startswith("call ") else look.reason),
    )
