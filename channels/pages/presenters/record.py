"""What the customer's page shows, made of the record's shapes. No database, no request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from butler.due.civil_time import age_on
from channels.pages.presenters import events as presenter_events
from channels.pages.presenters import ledger, messages
from channels.pages.presenters.decisions import Names
from customers.consent.state import ANY
from customers.queries.shapes import (
    EventShape,
    IdentifierShape,
    InteractionShape,
    MemberShape,
    MergeShape,
    OrderShape,
    RecordShape,
    body_properties,
    decode_stored,
    trait_text,
)

# A page is a glance: the rest is a page of its own.
SHOWN_ORDERS = 4
ICONS = ("phone", "web", "app", "store", "butler")


@dataclass(frozen=True, slots=True)
class Called:
    """What messages, purposes and topics are called, which the log names by id and key."""

    subjects: Mapping[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=lambda: Names({}, {}))


UNCALLED = Called()


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    quantity: int
    total: str
    status: str
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Order:
    """One order as its customer sees it: in a theme park, an arrangement."""

    number: str
    name: str
    status: str
    is_gone: bool
    is_requested: bool
    # What the customer asked to change, in words, and nobody has settled yet.
    requested_changes: Sequence[str]
    channel: str
    visit_date: date | None
    visit_time: time | None
    guests: Sequence[str]
    lines: Sequence[Line]
    total: str
    is_next: bool
    scanned_at: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    initial: str
    role: str
    age: int | None


@dataclass(frozen=True, slots=True)
class Moment:
    """One event, worded."""

    version: int
    log: str
    headline: str
    detail: str
    channel: str
    icon: str
    # Where it happened and who did it: "by phone, Sam".
    where: str
    is_verified: bool
    occurred_at: datetime
    recorded_ms: int


@dataclass(frozen=True, slots=True)
class Known:
    kind: str
    value: str
    is_verified: bool
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Join:
    joined_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Contact:
    """The last time that customer and company spoke."""

    kind: str
    staff: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A customer's own record at one version."""

    version: int
    name: str
    card: str
    next_order: Order | None
    other_orders: Sequence[Order]
    has_more_orders: bool
    party: Sequence[Member]
    moments: Sequence[Moment]
    known: Sequence[Known]
    joins: Sequence[Join]
    last_contact: Contact | None


def page(
    record: RecordShape,
    events: Sequence[EventShape],
    *,
    called: Called = UNCALLED,
    scan: datetime | None,
    today: date,
) -> Page:
    """Word a record for its customer; `scan` is when the code of the next visit was scanned."""
    orders = list(_orders(record, scan))
    others = [order for order in orders if not order.is_next]
    return Page(
        version=record.version,
        name=trait_text(record, "first_name") or trait_text(record, "name").partition(" ")[0],
        card=trait_text(record, "card"),
        next_order=next((order for order in orders if order.is_next), None),
        other_orders=others[:SHOWN_ORDERS],
        has_more_orders=len(others) > SHOWN_ORDERS,
        party=[_member(member, today) for member in sorted(record.party, key=_children_first)],
        moments=[moment_of(event, called) for event in events],
        # Order numbers are identifiers too, but they are on the page as orders already.
        known=[_known(known) for known in record.identifiers if known.kind != "order"],
        joins=[_join(merge) for merge in record.members],
        last_contact=next((_contact(one) for one in record.interactions), None),
    )


def _orders(record: RecordShape, scan: datetime | None) -> Iterator[Order]:
    coming = record.next_visit.number if record.next_visit else None
    for order in record.orders:
        is_next = order.number == coming
        yield order_of(order, is_next=is_next, scan=scan if is_next else None)


def order_of(order: OrderShape, *, is_next: bool = False, scan: datetime | None = None) -> Order:
    """Word one order; `scan` is when its code was last shown at the gate."""
    details = decode_stored(order.details, {})
    lines = decode_stored(order.lines, [])
    return Order(
        number=order.number,
        name=str(details.get("name") or ""),
        status=presenter_events.say(presenter_events.STATUSES, order.status),
        is_gone=order.status in ("cancelled", "refunded", "declined"),
        is_requested=order.status == "requested",
        requested_changes=_requested_changes(decode_stored(order.requested_changes, []), lines),
        channel=presenter_events.say(presenter_events.CHANNELS, order.channel),
        visit_date=order.visit_date,
        visit_time=order.visit_time,
        guests=[
            str(guest["name"]) for guest in decode_stored(order.party, []) if guest.get("name")
        ],
        lines=[_line(line, order.currency) for line in lines],
        total=presenter_events.money(str(order.total), order.currency),
        is_next=is_next,
        scanned_at=scan,
    )


def _requested_changes(
    requests: Sequence[dict[str, Any]], lines: Sequence[dict[str, Any]]
) -> list[str]:
    names = {str(line.get("id")): str(line.get("name") or line.get("product")) for line in lines}
    return [
        ": ".join(
            filter(
                None,
                (
                    presenter_events.headline("track", str(request["event"])),
                    presenter_events.requested_change(request["change"], names),
                ),
            )
        )
        for request in requests
    ]


def _contact(one: InteractionShape) -> Contact:
    return Contact(one.kind, one.staff.capitalize(), one.started_at)


def _line(line: dict[str, Any], currency: str) -> Line:
    return Line(
        name=str(line.get("name") or line.get("product") or line.get("id")),
        quantity=int(line.get("quantity") or 0),
        total=presenter_events.money(str(line.get("total") or ""), currency),
        status=presenter_events.say(presenter_events.STATUSES, str(line.get("status"))),
        is_gone=line.get("status") != "ordered",
    )


def _children_first(member: MemberShape) -> bool:
    return member.role != "child"


def _member(member: MemberShape, today: date) -> Member:
    born = member.birth_date
    age = None
    if born and member.role == "child":
        age = age_on(today, born)
    role = presenter_events.say(presenter_events.ROLES, member.role)
    return Member(member.name, member.name[:1], role, age)


def moment_of(event: EventShape, called: Called = UNCALLED) -> Moment:
    """Word one event."""
    said = body_properties(event)
    return Moment(
        version=event.version,
        log=str(event.customer),
        headline=presenter_events.headline(event.kind, event.name),
        detail=_detail(event, said, called),
        channel=event.channel,
        icon=_icon(event, said),
        where=", ".join(filter(None, (_where(event), _by(event.actor)))),
        is_verified=event.is_verified,
        occurred_at=event.occurred_at,
        recorded_ms=int(event.recorded_at.timestamp() * 1000),
    )


def message_of(event: EventShape) -> str:
    """Return the id of the message that an event is about, if it is about one."""
    return str(body_properties(event).get("message", "")) if event.kind == "message" else ""


def _detail(event: EventShape, said: dict[str, Any], called: Called) -> str:
    if event.kind == "control":
        return _choice(event.name, said, called.names)
    parts = (
        called.subjects.get(message_of(event), ""),
        presenter_events.detail(event.kind, event.name, said),
    )
    return " · ".join(filter(None, parts))


def _choice(name: str, said: dict[str, Any], names: Names) -> str:
    kind = name.lower().replace(" ", ".", 1)
    subject, channel, topic = (str(said.get(key, ANY)) for key in ("subject", "channel", "topic"))
    if subject == ANY:
        return ""
    value = said.get("value")
    is_said = (
        presenter_events.say(presenter_events.ANSWERS, str(value))
        if isinstance(value, bool)
        else ""
    )
    return ": ".join(filter(None, (ledger.matter(kind, subject, channel, topic, names), is_said)))


def _icon(event: EventShape, said: dict[str, Any]) -> str:
    if event.kind == "message":
        return messages.ICONS.get(str(said.get("channel", "")), "butler")
    return event.channel if event.channel in ICONS else "butler"


def _where(event: EventShape) -> str:
    # The customer did the one, and the other says itself which way it went.
    is_plain = event.kind in ("control", "message")
    return "" if is_plain else presenter_events.say(presenter_events.CHANNELS, event.channel)


def _by(actor: str) -> str:
    name = actor.removeprefix("staff:")
    return name.capitalize() if name != actor else ""


def _known(identifier: IdentifierShape) -> Known:
    kind = presenter_events.say(presenter_events.IDENTIFIERS, identifier.kind)
    value = identifier.value
    if identifier.kind in ("anonymous_id", "device") and len(value) > 12:
        value = f"{value[:12]}…"
    return Known(kind, value, identifier.is_verified, identifier.is_shared)


def _join(merge: MergeShape) -> Join:
    return Join(merge.merged_at, presenter_events.say(presenter_events.REASONS, merge.reason))
