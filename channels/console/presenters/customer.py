"""What colleagues see of a customer: the person first. Shapes in, values out; no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.timezone import localtime

from butler.decisions.decide import decide
from butler.decisions.reasons.catalog import sentence
from butler.due.civil_time import age_on
from butler.types import Contact, Facts, Rules
from channels.console.order_form import amount
from channels.console.presenters import events as presenter_events
from channels.pages.presenters.events import money, requested_change
from customers.queries.shapes import (
    EventShape,
    OrderShape,
    RecordShape,
    body_properties,
    decode_stored,
    trait_text,
)

CHANNELS = ("phone", "inbox", "email", "sms")
# Of every purpose a column: more than these nobody reads.
PURPOSES = 3


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    name: str
    quantity: int
    price: str
    total: str
    is_gone: bool
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    number: str
    name: str
    status: str
    is_open: bool
    is_requested: bool
    # What the customer asked to change, in words, and nobody has settled yet.
    requested_changes: Sequence[str]
    visit_date: date | None
    visit_time: time | None
    total: str
    amount: Decimal
    currency: str
    channel: str
    changed_by: str
    changed_at: datetime
    is_verified: bool
    guests: Sequence[str]
    lines: Sequence[Line]
    version: int


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    role: str
    age: int | None


@dataclass(frozen=True, slots=True)
class Known:
    kind: str
    value: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Contacted:
    """A time that customer and company spoke."""

    kind: str
    status: str
    staff: str
    started_at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Moment:
    key: str
    headline: str
    detail: str
    where: str
    icon: str
    by: str
    is_verified: bool
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something may be said through some channels now, and why."""

    channel: str
    effect: str
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Act:
    """One thing one might want to say."""

    label: str
    verdicts: Sequence[Verdict]


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    version: int
    name: str
    first_name: str
    language: str
    birthday: str
    wishes: Sequence[str]
    party: Sequence[Member]
    known: Sequence[Known]
    next_order: Order | None
    orders: Sequence[Order]
    contacts: Sequence[Contacted]
    open_reviews: int
    joins: int


def person(record: RecordShape, facts: Facts | None, *, now: datetime, today: date) -> Person:
    """Word a record for colleagues."""
    orders = [order(one) for one in record.orders]
    coming = record.next_visit.number if record.next_visit else None
    named = {
        one: trait_text(record, one)
        for one in ("name", "first_name", "firstName", "last_name", "lastName")
    }
    first = named["first_name"] or named["firstName"]
    whole = named["name"] or " ".join(
        filter(None, (first, named["last_name"] or named["lastName"]))
    )
    return Person(
        id=str(record.id),
        version=record.version,
        name=whole or "Somebody without a name",
        first_name=first or whole.partition(" ")[0],
        language=_language(record, facts),
        birthday=_birthday(trait_text(record, "birth_date"), today),
        wishes=presenter_events.wishes(_everywhere(facts), now),
        party=[
            Member(
                one.name,
                one.role,
                age_on(today, one.birth_date) if one.birth_date else None,
            )
            for one in sorted(record.party, key=lambda one: one.role != "child")
        ],
        known=[
            Known(presenter_events.IDENTIFIERS[one.kind], one.value, one.is_verified)
            for one in record.identifiers
            if one.kind in ("email", "phone", "card")
        ],
        next_order=next((one for one in orders if one.number == coming), None),
        orders=[one for one in orders if one.number != coming],
        contacts=[
            Contacted(
                one.kind,
                one.status,
                one.staff.capitalize(),
                one.started_at,
                str(decode_stored(one.details, {}).get("subject") or ""),
            )
            for one in record.interactions[:3]
        ],
        open_reviews=record.open_reviews,
        joins=len(record.members),
    )


def order(one: OrderShape) -> Order:
    details = decode_stored(one.details, {})
    return Order(
        number=one.number,
        name=str(details.get("name") or ""),
        status=presenter_events.STATUSES.get(one.status, one.status),
        is_open=one.status in ("placed", "amended", "requested"),
        is_requested=one.status == "requested",
        requested_changes=_requested_changes(one),
        visit_date=one.visit_date,
        visit_time=one.visit_time,
        total=money(str(one.total), one.currency),
        amount=one.total,
        currency=one.currency,
        channel=presenter_events.where(one.channel),
        changed_by=presenter_events.actor(one.changed_by),
        changed_at=one.changed_at,
        is_verified=one.is_verified,
        guests=[str(guest["name"]) for guest in decode_stored(one.party, []) if guest.get("name")],
        lines=[_line(line, one.currency) for line in decode_stored(one.lines, [])],
        version=one.version,
    )


def _requested_changes(one: OrderShape) -> list[str]:
    lines = decode_stored(one.lines, [])
    names = {str(line.get("id")): str(line.get("name") or line.get("product")) for line in lines}
    return [
        ": ".join(
            filter(
                None,
                (
                    presenter_events.headline("track", str(request["event"])),
                    requested_change(request["change"], names),
                ),
            )
        )
        for request in decode_stored(one.requested_changes, [])
    ]


def _line(line: dict[str, Any], currency: str) -> Line:
    return Line(
        id=str(line.get("id") or ""),
        name=str(line.get("name") or line.get("product") or line.get("id") or ""),
        quantity=int(line.get("quantity") or 0),
        price=str(line.get("unit_price") or ""),
        total=money(str(line.get("total") or ""), currency),
        is_gone=line.get("status") != "ordered",
        amount=amount(str(line.get("total") or "")),
    )


def moments(events: Iterable[EventShape]) -> list[Moment]:
    """Word the events of a timeline."""
    return [_moment(event) for event in events]


def _moment(event: EventShape) -> Moment:
    icons = ("phone", "web", "app", "store")
    return Moment(
        key=f"{event.customer}-{event.version}",
        headline=presenter_events.headline(event.kind, event.name),
        detail=presenter_events.detail(event.kind, event.name, body_properties(event)),
        where=presenter_events.where(event.channel),
        icon=event.channel if event.channel in icons else "butler",
        by=presenter_events.actor(event.actor),
        is_verified=event.is_verified,
        occurred_at=event.occurred_at,
    )


# What is allowed ----------------------------------------------------------------------


def allowed(
    facts: Facts, rules: Rules, purposes: Mapping[str, str], *, now: datetime, until: datetime
) -> list[Act]:
    """Ask for a few typical things whether they may be said now, on each channel.

    `purposes` are those of contact, by key, with what they are called.
    """
    live = [
        (one.until, name)
        for name, one in (facts.relations or {}).items()
        if one.since <= now < one.until
    ]
    relation = max(live)[1] if live else ""
    topic = next(iter(sorted(rules.topics)), "")
    acts = [("Something about their visit or order", "service", "", relation)]
    acts += [(name, "marketing", key, "") for key, name in list(purposes.items())[:PURPOSES]]
    found = []
    for label, message_class, purpose, about in acts:
        verdicts = []
        for channel in CHANNELS:
            act = Contact(
                message_class=message_class,
                topic=topic,
                channel=channel,
                occurred_at=now,
                expires_at=until,
                purpose=purpose,
                relation=about,
            )
            verdicts.append(_verdict(act, facts, rules, now, label))
        found.append(Act(label, _together(verdicts)))
    return found


def _together(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Say once what is the same for several channels."""
    same: dict[tuple[str, str], list[str]] = {}
    for one in verdicts:
        same.setdefault((one.effect, one.reason), []).append(one.channel)
    return [
        Verdict(_named(channels), effect, _ANSWERS[effect], reason)
        for (effect, reason), channels in same.items()
    ]


def _named(channels: Sequence[str]) -> str:
    return "Any channel" if len(channels) == len(CHANNELS) else ", ".join(channels)


_ANSWERS = {"allow": "Yes", "defer": "Later", "deny": "No"}


def _verdict(act: Contact, facts: Facts, rules: Rules, now: datetime, label: str) -> Verdict:
    found = decide(act, facts, rules, now)
    until = f"{localtime(found.until):%-d %b, %H:%M}" if found.until else ""
    named = {"purpose": label, "channel": act.channel, "until": until}
    return Verdict(
        channel=presenter_events.CHANNELS[act.channel],
        effect=found.effect,
        answer=_ANSWERS[found.effect],
        reason=sentence(found.code, "en", named),
    )


def _everywhere(facts: Facts | None) -> dict[str, Any]:
    control = facts.control if facts else None
    if control is None:
        return {}
    return {
        one.name: one.value for one in control.settings if one.channel == "*" and one.topic == "*"
    }


def _language(record: RecordShape, facts: Facts | None) -> str:
    key = (facts.language if facts else "") or trait_text(record, "language")
    return presenter_events.LANGUAGES.get(key[:2].lower(), key)


def _birthday(text: str, today: date) -> str:
    try:
        born = date.fromisoformat(text[:10])
    except ValueError:
        return ""
    is_today = (born.month, born.day) == (today.month, today.day)
    return f"{age_on(today, born)}{', birthday today' if is_today else ''}"
