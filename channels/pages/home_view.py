"""Reads what a session sees on the home page, for the portal and for the console's view of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import get_language

from butler.decisions.decide import has_consent
from butler.decisions.inputs import rules
from butler.queries.inbox import ResolvedCustomer, messages, subjects
from channels.pages.own_facts import read_own_facts
from channels.pages.presenters.decisions import catalog_names
from channels.pages.presenters.messages import MessageCard, message_card
from channels.pages.presenters.record import RecordPage, record_page
from channels.pages.presenters.timeline import ReferenceNames, message_id_of
from customers.consent import purpose_texts
from customers.identity.merge_reasons import merge_reasons
from customers.queries.consent_shapes import PurposeShape
from customers.queries.record import read_record
from customers.queries.shapes import EventShape, RecordShape
from customers.queries.timeline import TimelineFilter, timeline_by_time
from customers.values.order_numbers import sent_number

EVENTS_LIMIT = 10
MESSAGES_LIMIT = 3
_ALL = TimelineFilter()


class HomeView(NamedTuple):
    """The record, the newest messages, and the name and the state of each consent."""

    # None if the record does not exist any more.
    page: RecordPage | None
    cards: list[MessageCard]
    consents: Sequence[tuple[str, bool]]


def has_contact(customer: ResolvedCustomer) -> bool:
    """Tell whether the session opens what is about the record as a whole, such as its consents."""
    return customer.part is None or customer.part.has_contact


def read_home_view(customer: ResolvedCustomer, now: datetime) -> HomeView:
    """Return the home page of a record, or of the part that a session opens."""
    newest = messages(customer.ids, cursor=None, limit=MESSAGES_LIMIT, part=customer.part)
    purposes = purpose_texts.purposes(get_language() or "en")
    shape = read_record(customer.id, today=timezone.localdate(now), part=customer.part)
    return HomeView(
        page=_record_page(customer, shape, purposes, now) if shape else None,
        cards=[message_card(message) for message in newest.results],
        consents=_consents(customer, purposes, now) if shape and has_contact(customer) else (),
    )


def _consents(
    customer: ResolvedCustomer, purposes: Sequence[PurposeShape], now: datetime
) -> list[tuple[str, bool]]:
    """Return the name of each contact purpose, and whether the customer consents to it."""
    facts = read_own_facts(customer, now)
    company_rules = rules()
    return [
        (purpose.name, facts is not None and has_consent(facts, company_rules, purpose.key, now))
        for purpose in purposes
        if purpose.kind == "contact" and purpose.is_offered
    ]


def _record_page(
    customer: ResolvedCustomer, shape: RecordShape, purposes: Sequence[PurposeShape], now: datetime
) -> RecordPage:
    events = _events(customer, shape, EVENTS_LIMIT)
    names = _reference_names(customer, events, purposes)
    today = timezone.localdate(now)
    reasons = merge_reasons(merge.id for merge in shape.members) if shape.members else {}
    return record_page(
        shape,
        events,
        names=names,
        reasons=reasons,
        scanned_at=_scanned_at(customer, shape),
        today=today,
    )


def _reference_names(
    customer: ResolvedCustomer, events: Sequence[EventShape], purposes: Sequence[PurposeShape]
) -> ReferenceNames:
    message_ids = {message_id for event in events if (message_id := message_id_of(event))}
    catalog = catalog_names(purposes, purpose_texts.topics(get_language() or "en"))
    return ReferenceNames(subjects(customer.ids, message_ids, part=customer.part), catalog)


def _scanned_at(customer: ResolvedCustomer, shape: RecordShape) -> datetime | None:
    """Return the time of the last scan of the next visit's code at the gate, or None."""
    if shape.next_visit is None:
        return None
    about = f"order:{sent_number(shape.next_visit.number)}"
    scans = _events(customer, shape, 1, TimelineFilter(about=about, name="Ticket Scanned"))
    return scans[0].occurred_at if scans else None


def _events(
    customer: ResolvedCustomer, shape: RecordShape, limit: int, narrow: TimelineFilter = _ALL
) -> Sequence[EventShape]:
    events = timeline_by_time(
        shape.id,
        filters=narrow,
        cursor=None,
        limit=limit,
        part=customer.part,
        is_for_customer=True,
    )
    return events.results if events else ()
