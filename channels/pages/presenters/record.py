"""The record for the home page of the portal. No database, no request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from butler.due.civil_time import age_on
from channels.pages.presenters import labels
from channels.pages.presenters.devices import device_names
from channels.pages.presenters.labels import translated
from channels.pages.presenters.orders import OrderCard, order_card
from channels.pages.presenters.timeline import (
    NO_NAMES,
    ReferenceNames,
    TimelineEntry,
    timeline_entry,
    without_copies,
)
from customers.actions.identity_previews import RecordPreview
from customers.identity.families import is_number
from customers.identity.merge_reasons import MergeReason
from customers.queries.identity import HeldIdentifierShape
from customers.queries.shapes import (
    EventShape,
    IdentifierShape,
    InteractionShape,
    MemberShape,
    MergeShape,
    RecordShape,
    trait_text,
)
from customers.types import WEAK_KINDS

# The number of other orders on the home page. The Orders page shows all of them.
SHOWN_ORDERS = 4
# The kinds of identifiers that a customer can confirm: a code or a scan proves them.
_CONFIRMABLE = frozenset({"email", "phone", "card"})
NO_REASONS: Mapping[int, MergeReason] = {}


@dataclass(frozen=True, slots=True)
class MemberCard:
    name: str
    initial: str
    role: str
    age: int | None


@dataclass(frozen=True, slots=True)
class IdentifierCard:
    kind: str
    value: str
    # Whether the customer or a source confirmed it, as a text; empty for devices.
    status: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class MergeCard:
    id: int
    merged_at: datetime
    reason: str
    # The shared address, card or phone, if it is confirmed; shortened.
    masked: str


@dataclass(frozen=True, slots=True)
class SeparatedRecord:
    """A record as a separation would leave it: its identifiers, and the number of its events."""

    identifiers: Sequence[IdentifierCard]
    events: int


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
    reasons: Mapping[int, MergeReason] = NO_REASONS,
    scanned_at: datetime | None,
    today: date,
) -> RecordPage:
    """Return a record for its customer's home page.

    `reasons` has the reason of each merge by its id. `scanned_at` is the time of the last scan of the next visit's code.
    """
    devices, sources = device_names(events), _sources_of_numbers(record.identifiers)
    orders = list(_orders(record, scanned_at))
    others = [order for order in orders if not order.is_next]
    return RecordPage(
        version=record.version,
        name=trait_text(record, "first_name") or trait_text(record, "name").partition(" ")[0],
        card=trait_text(record, "card"),
        next_order=next((order for order in orders if order.is_next), None),
        other_orders=others[:SHOWN_ORDERS],
        has_more_orders=len(others) > SHOWN_ORDERS,
        party=[_member(member, today) for member in sorted(record.party, key=is_adult)],
        timeline=[timeline_entry(event, names) for event in without_copies(events)],
        identifiers=_identifier_cards(record.identifiers, devices, sources),
        merges=[_merge_card(merge, reasons.get(merge.id)) for merge in record.members],
        last_contact=next(
            (_last_contact(interaction) for interaction in record.interactions), None
        ),
    )


def _orders(record: RecordShape, scanned_at: datetime | None) -> Iterator[OrderCard]:
    next_number = record.next_visit.number if record.next_visit else None
    for order in record.orders:
        is_next = order.number == next_number
        yield order_card(order, is_next=is_next, scanned_at=scanned_at if is_next else None)


def _last_contact(interaction: InteractionShape) -> LastContact:
    return LastContact(interaction.kind, interaction.staff.capitalize(), interaction.started_at)


def is_adult(member: MemberShape) -> bool:
    """Return whether a party member is no child; sorts children first."""
    return member.role != "child"


def _member(member: MemberShape, today: date) -> MemberCard:
    is_child = member.role == "child"
    age = age_on(today, member.birth_date) if member.birth_date and is_child else None
    role = translated(labels.PARTY_ROLES, member.role)
    return MemberCard(member.name, member.name[:1], role, age)


def separated_record(record: RecordPreview) -> SeparatedRecord:
    """Return a record before the customer separates it."""
    rows = [row for row in record.identifiers if row.kind != "order"]
    sources = _sources_of_numbers(rows)
    cards = [*dict.fromkeys(_identifier_card(row, {}, sources) for row in rows)]
    return SeparatedRecord(cards, record.events)


def _sources_of_numbers(
    identifiers: Iterable[IdentifierShape | HeldIdentifierShape],
) -> dict[tuple[str, str], str]:
    """Return the names of the sources that use each number, by its kind and value."""
    sources: dict[tuple[str, str], list[str]] = {}
    for identifier in identifiers:
        if identifier.source and is_number(identifier.kind):
            sources.setdefault((identifier.kind, identifier.value), []).append(identifier.source)
    return {key: ", ".join(dict.fromkeys(names)) for key, names in sources.items()}


def _identifier_cards(
    identifiers: Iterable[IdentifierShape],
    devices: Mapping[str, str],
    sources: Mapping[tuple[str, str], str],
) -> list[IdentifierCard]:
    """Return the identifiers in words, apart from orders, which the page shows as orders.

    Two sources may give one customer the same number. This is one line, confirmed if one of them is.
    """
    cards: dict[tuple[str, str], IdentifierCard] = {}
    for identifier in identifiers:
        if identifier.kind == "order":
            continue
        card = _identifier_card(identifier, devices, sources)
        earlier = cards.setdefault((card.kind, card.value), card)
        if card.is_confirmed and not earlier.is_confirmed:
            cards[card.kind, card.value] = card
    return list(cards.values())


def _identifier_card(
    identifier: IdentifierShape | HeldIdentifierShape,
    devices: Mapping[str, str],
    sources: Mapping[tuple[str, str], str],
) -> IdentifierCard:
    """Return an identifier in words. `devices` has the names of browsers and devices."""
    kind, value = translated(labels.IDENTIFIER_KINDS, identifier.kind), identifier.value
    if identifier.kind in WEAK_KINDS:
        # Their identifiers are long random texts.
        value = devices.get(value, "")
    elif source := sources.get((identifier.kind, value)):
        kind = _("Account number of %(source)s") % {"source": source}
    is_confirmed = identifier.evidence in ("opened", "confirmed")
    return IdentifierCard(kind, value, _status(identifier, is_confirmed), is_confirmed)


def _status(identifier: IdentifierShape | HeldIdentifierShape, is_confirmed: bool) -> str:
    if is_confirmed:
        return translated(labels.IDENTIFIER_STATUSES, "confirmed")
    if identifier.is_shared:
        return translated(labels.IDENTIFIER_STATUSES, "shared")
    has_status = identifier.kind in _CONFIRMABLE or identifier.evidence == "claimed"
    return translated(labels.IDENTIFIER_STATUSES, "unconfirmed") if has_status else ""


def _merge_card(merge: MergeShape, reason: MergeReason | None) -> MergeCard:
    code = reason.code if reason else merge.reason
    masked = reason.masked if reason else ""
    return MergeCard(merge.id, merge.merged_at, translated(labels.MERGE_REASONS, code), masked)
