"""A customer for the console. The functions convert shapes to values; no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.timezone import get_default_timezone

from butler.due.civil_time import age_on
from butler.types import Facts
from channels.console.presenters import labels
from channels.console.presenters.orders import StaffOrder, staff_order
from channels.pages.presenters.record import is_adult
from customers.queries.shapes import (
    IdentifierShape,
    InteractionShape,
    MemberShape,
    RecordShape,
    decode_stored,
    trait_text,
)
from customers.values.times import read_date

CONTACTS_LIMIT = 3
IDENTIFIER_KINDS_SHOWN = ("email", "phone", "card")
VERIFIED_EVIDENCE = ("stated", "opened", "confirmed")


@dataclass(frozen=True, slots=True)
class PartyGuest:
    name: str
    role: str
    age: int | None


@dataclass(frozen=True, slots=True)
class CustomerIdentifier:
    kind: str
    value: str
    evidence: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """A conversation between the customer and the company."""

    kind: str
    status: str
    staff: str
    started_at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """A customer's record at one version, without the parts that only some roles may see."""

    id: str
    version: int
    name: str
    first_name: str
    language: str
    age: str
    preferences: Sequence[str]
    party: Sequence[PartyGuest]
    identifiers: Sequence[CustomerIdentifier]
    next_order: StaffOrder | None
    orders: Sequence[StaffOrder]
    contacts: Sequence[CustomerContact]
    open_reviews: int
    merge_count: int


def customer_page(
    record: RecordShape, facts: Facts | None, *, now: datetime, today: date
) -> CustomerPage:
    """Return a record for the customer page of the console."""
    orders = [staff_order(order) for order in record.orders]
    next_number = record.next_visit.number if record.next_visit else None
    name, first_name = _names(record)
    return CustomerPage(
        id=str(record.id),
        version=record.version,
        name=name or "Customer without a name",
        first_name=first_name,
        language=_language(record, facts),
        age=_age(trait_text(record, "birth_date"), today),
        preferences=_preferences(facts, now),
        party=[_guest(member, today) for member in sorted(record.party, key=is_adult)],
        identifiers=[
            _identifier(identifier)
            for identifier in record.identifiers
            if identifier.kind in IDENTIFIER_KINDS_SHOWN
        ],
        next_order=next((order for order in orders if order.number == next_number), None),
        orders=[order for order in orders if order.number != next_number],
        contacts=[_contact(interaction) for interaction in record.interactions[:CONTACTS_LIMIT]],
        open_reviews=record.open_reviews,
        merge_count=len(record.members),
    )


def _names(record: RecordShape) -> tuple[str, str]:
    """Return the whole name and the first name."""
    first = trait_text(record, "first_name") or trait_text(record, "firstName")
    last = trait_text(record, "last_name") or trait_text(record, "lastName")
    whole = trait_text(record, "name") or " ".join(filter(None, (first, last)))
    return whole, first or whole.partition(" ")[0]


def _guest(member: MemberShape, today: date) -> PartyGuest:
    age = age_on(today, member.birth_date) if member.birth_date else None
    return PartyGuest(member.name, member.role, age)


def _identifier(identifier: IdentifierShape) -> CustomerIdentifier:
    kind = labels.IDENTIFIER_KINDS[identifier.kind]
    return CustomerIdentifier(
        kind, identifier.value, identifier.evidence, identifier.evidence in VERIFIED_EVIDENCE
    )


def _contact(interaction: InteractionShape) -> CustomerContact:
    return CustomerContact(
        interaction.kind,
        interaction.status,
        interaction.staff.capitalize(),
        interaction.started_at,
        str(decode_stored(interaction.details, {}).get("subject") or ""),
    )


def _preferences(facts: Facts | None, now: datetime) -> list[str]:
    """Return a sentence for each preference of the customer; empty if none is set."""
    consent_state = facts.consent_state if facts else None
    if consent_state is None:
        return []
    settings = consent_state.settings
    general = {
        setting.name: setting.value
        for setting in settings
        if setting.channel == "*" and setting.topic == "*"
    }
    refused = [setting for setting in settings if setting.name == "allow" and not setting.value]
    limited = [setting for setting in settings if setting.name == "budget"]
    return labels.contact_preferences(
        general, now, refused_count=len(refused), limit_count=len(limited)
    )


def _language(record: RecordShape, facts: Facts | None) -> str:
    code = (facts.language if facts else "") or trait_text(record, "language")
    return labels.LANGUAGES.get(code[:2].lower(), code)


def _age(birth_date: str, today: date) -> str:
    born = read_date(birth_date, get_default_timezone()).value
    if born is None:
        return ""
    is_birthday = (born.month, born.day) == (today.month, today.day)
    return f"{age_on(today, born)}{', birthday today' if is_birthday else ''}"
