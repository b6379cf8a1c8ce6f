"""The record as the portal's home page shows it. No database, no request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from butler.due.civil_time import age_on
from channels.pages.money import format_money
from channels.pages.presenters import events as presenter_events
from channels.pages.presenters import labels, ledger, messages
from channels.pages.presenters.decisions import CatalogNames
from channels.pages.presenters.labels import translated
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
class ReferenceNames:
    """Names of what events refer to by id or key: messages, purposes and topics."""

    message_subjects: Mapping[str, str] = field(default_factory=dict)
    catalog: CatalogNames = field(default_factory=lambda: CatalogNames({}, {}))


NO_NAMES = ReferenceNames()


@dataclass(frozen=True, slots=True)
class OrderCardLine:
    name: str
    quantity: int
    total: str
    status: str
    is_removed: bool


@dataclass(frozen=True, slots=True)
class OrderCard:
    """One order as its customer sees it."""

    number: str
    name: str
    status: str
    is_closed: bool
    is_requested: bool
    # What the customer asked to change and staff have not yet confirmed or declined.
    requested_changes: Sequence[str]
    channel: str
    visit_date: date | None
    visit_time: time | None
    guests: Sequence[str]
    lines: Sequence[OrderCardLine]
    total: str
    is_next: bool
    scanned_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberCard:
    name: str
    initial: str
    role: str
    age: int | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event as its customer reads it."""

    version: int
    log: str
    headline: str
    detail: str
    channel: str
    icon: str
    # Channel and staff member, such as "by phone, Sam".
    where: str
    is_verified: bool
    occurred_at: datetime
    recorded_ms: int


@dataclass(frozen=True, slots=True)
class IdentifierCard:
    kind: str
    value: str
    is_verified: bool
    is_shared: bool


@dataclass(frozen=True, slots=True)
class MergeCard:
    merged_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class LastContact:
    """The last conversation between the customer and the company."""

    kind: str
    staff: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A customer's own record at one version."""

    version: int
    name: str
    card: str
    next_order: OrderCard | None
    other_orders: Sequence[OrderCard]
    has_more_orders: bool
    party: Sequence[MemberCard]
    timeline: Sequence[TimelineEntry]
    identifiers: Sequence[IdentifierCard]
    merges: Sequence[MergeCard]
    last_contact: LastContact | None


def record_page(
    record: RecordShape,
    events: Sequence[EventShape],
    *,
    names: ReferenceNames = NO_NAMES,
    scanned_at: datetime | None,
    today: date,
) -> RecordPage:
    """Present a record to its customer; `scanned_at` is when the next visit's code was scanned."""
    orders = list(_orders(record, scanned_at))
    others = [order for order in orders if not order.is_next]
    return RecordPage(
        version=record.version,
        name=trait_text(record, "first_name") or trait_text(record, "name").partition(" ")[0],
        card=trait_text(record, "card"),
        next_order=next((order for order in orders if order.is_next), None),
        other_orders=others[:SHOWN_ORDERS],
        has_more_orders=len(others) > SHOWN_ORDERS,
        party=[_member(member, today) for member in sorted(record.party, key=_is_adult)],
        timeline=[timeline_entry(event, names) for event in events],
        # Order numbers are identifiers too, but they are on the page as orders already.
        identifiers=[
            _identifier_card(identifier)
            for identifier in record.identifiers
            if identifier.kind != "order"
        ],
        merges=[_merge_card(merge) for merge in record.members],
        last_contact=next(
            (_last_contact(interaction) for interaction in record.interactions), None
        ),
    )


def _orders(record: RecordShape, scanned_at: datetime | None) -> Iterator[OrderCard]:
    next_number = record.next_visit.number if record.next_visit else None
    for order in record.orders:
        is_next = order.number == next_number
        yield order_card(order, is_next=is_next, scanned_at=scanned_at if is_next else None)


def order_card(
    order: OrderShape, *, is_next: bool = False, scanned_at: datetime | None = None
) -> OrderCard:
    """Present one order; `scanned_at` is when its code was last scanned at the gate."""
    details = decode_stored(order.details, {})
    lines = decode_stored(order.lines, [])
    return OrderCard(
        number=order.number,
        name=str(details.get("name") or ""),
        status=translated(labels.ORDER_STATUSES, order.status),
        is_closed=order.status in ("cancelled", "refunded", "declined"),
        is_requested=order.status == "requested",
        requested_changes=_requested_changes(decode_stored(order.requested_changes, []), lines),
        channel=translated(labels.SOURCE_CHANNELS, order.channel),
        visit_date=order.visit_date,
        visit_time=order.visit_time,
        guests=[
            str(guest["name"]) for guest in decode_stored(order.party, []) if guest.get("name")
        ],
        lines=[_line(line, order.currency) for line in lines],
        total=format_money(str(order.total), order.currency),
        is_next=is_next,
        scanned_at=scanned_at,
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


def _last_contact(interaction: InteractionShape) -> LastContact:
    return LastContact(interaction.kind, interaction.staff.capitalize(), interaction.started_at)


def _line(line: dict[str, Any], currency: str) -> OrderCardLine:
    return OrderCardLine(
        name=str(line.get("name") or line.get("product") or line.get("id")),
        quantity=int(line.get("quantity") or 0),
        total=format_money(str(line.get("total") or ""), currency),
        status=translated(labels.ORDER_STATUSES, str(line.get("status"))),
        is_removed=line.get("status") != "ordered",
    )


def _is_adult(member: MemberShape) -> bool:
    return member.role != "child"


def _member(member: MemberShape, today: date) -> MemberCard:
    is_child = member.role == "child"
    age = age_on(today, member.birth_date) if member.birth_date and is_child else None
    role = translated(labels.PARTY_ROLES, member.role)
    return MemberCard(member.name, member.name[:1], role, age)


def timeline_entry(event: EventShape, names: ReferenceNames = NO_NAMES) -> TimelineEntry:
    """Present one event."""
    event_properties = body_properties(event)
    return TimelineEntry(
        version=event.version,
        log=str(event.customer),
        headline=presenter_events.headline(event.kind, event.name),
        detail=_detail(event, event_properties, names),
        channel=event.channel,
        icon=_icon(event, event_properties),
        where=", ".join(filter(None, (_source_channel(event), _staff_name(event.actor)))),
        is_verified=event.is_verified,
        occurred_at=event.occurred_at,
        recorded_ms=int(event.recorded_at.timestamp() * 1000),
    )


def message_id_of(event: EventShape) -> str:
    """Return the id of the message that an event is about, if it is about one."""
    return str(body_properties(event).get("message", "")) if event.kind == "message" else ""


def _detail(event: EventShape, event_properties: dict[str, Any], names: ReferenceNames) -> str:
    if event.kind == "control":
        return _statement_details(event.name, event_properties, names.catalog)
    parts = (
        names.message_subjects.get(message_id_of(event), ""),
        presenter_events.detail(event.kind, event.name, event_properties),
    )
    return " · ".join(filter(None, parts))


def _statement_details(name: str, event_properties: dict[str, Any], names: CatalogNames) -> str:
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
    return event.channel if event.channel in ICONS else "butler"


def _source_channel(event: EventShape) -> str:
    # Statements are the customer's own; the details of a message name its channel.
    is_plain = event.kind in ("control", "message")
    return "" if is_plain else translated(labels.SOURCE_CHANNELS, event.channel)


def _staff_name(actor: str) -> str:
    name = actor.removeprefix("staff:")
    return name.capitalize() if name != actor else ""


def _identifier_card(identifier: IdentifierShape) -> IdentifierCard:
    kind = translated(labels.IDENTIFIER_KINDS, identifier.kind)
    value = identifier.value
    if identifier.kind in ("anonymous_id", "device") and len(value) > 12:
        value = f"{value[:12]}…"
    return IdentifierCard(kind, value, identifier.is_verified, identifier.is_shared)


def _merge_card(merge: MergeShape) -> MergeCard:
    return MergeCard(merge.merged_at, translated(labels.MERGE_REASONS, merge.reason))
