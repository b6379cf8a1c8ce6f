import itertools
import uuid
from datetime import timedelta

import pytest
from django.db import connection

from customers import rebuild, sql
from customers.identity import merging, record_creation
from customers.models import Customer, Event, Identifier, Link, Merge, Order, Review, Trait
from customers.queries.timeline import TimelineFilter, timeline
from customers.types import CLAIMED
from tests import factories
from tests.factories import NOON, identify, incoming_event, order, record

pytestmark = pytest.mark.django_db

NOOR, SAM = ("user_id", "noor"), ("user_id", "sam")
PHONE, LAPTOP = ("anonymous_id", "phone"), ("anonymous_id", "laptop")
MAIL = ("email", "noor@example.com")


def owner(kind, value, evidence=None):
    rows = Identifier.objects.filter(kind=kind, value=value)
    return (rows.filter(evidence=evidence) if evidence else rows).get().customer


def picture(customer):
    """A record field by field, without the ids that differ from run to run."""
    return {
        "identifiers": sorted(customer.identifiers.values_list("kind", "value", "evidence")),
        "traits": sorted(Trait.objects.filter(customer=customer).values_list("name", "value")),
        "orders": sorted(Order.objects.filter(customer=customer).values_list("number", "total")),
        "members": customer.members.count(),
    }


def test_sign_in_merges_the_earlier_activity_of_the_device():
    record(incoming_event(PHONE), by=factories.sender(trusted=False))

    record(incoming_event(NOOR, PHONE))

    assert owner(*NOOR) == owner(*PHONE)
    assert Merge.objects.get().reason == "proof"


def test_claim_neither_opens_nor_merges_a_record():
    noor = factories.customer(NOOR, MAIL, name="Noor")

    receipt = record(
        identify(LAPTOP, MAIL, NOOR, name="Mallory"), by=factories.sender(trusted=False)
    )

    assert receipt.outcomes[0].customer_id != noor.id
    assert Trait.objects.get(customer=noor, name="name").value == "Noor"
    assert Review.objects.filter(kind="suggested_merge", first=noor).count() == 1


def test_verified_device_leaves_records_with_only_claims():
    claims = factories.sender(trusted=False)
    record(incoming_event(PHONE, NOOR), by=claims)
    record(incoming_event(LAPTOP, NOOR), by=claims)
    assert owner(*PHONE) == owner(*LAPTOP)

    record(incoming_event(NOOR, PHONE))

    assert owner(*PHONE) == owner(*NOOR, evidence=2)
    assert owner(*LAPTOP) != owner(*PHONE)
    assert_sound()


def test_shared_address_of_a_family_merges_no_records():
    family = ("email", "family@example.com")
    record(incoming_event(NOOR, family))

    record(incoming_event(SAM, family))

    assert owner(*NOOR) != owner(*SAM)
    assert Identifier.objects.get(kind="email").is_shared
    assert_sound()


def test_address_that_becomes_shared_moves_its_own_events():
    family = ("email", "family@example.com")
    record(incoming_event(family))
    record(incoming_event(NOOR, family))
    assert owner(*NOOR) == owner(*family)

    record(incoming_event(SAM, family))

    assert owner(*family) not in (owner(*NOOR), owner(*SAM))
    assert Merge.objects.get().undone_at
    assert_sound()


def test_undoing_a_merge_restores_both_records_field_by_field():
    noor = factories.customer(NOOR, MAIL, name="Noor", city="Odense")
    sam = factories.customer(SAM, ("email", "sam@example.com"), name="Sam")
    record(order("A-1", NOOR, total="10.00"), order("A-2", SAM, total="20.00"))
    before = [picture(noor), picture(sam)]

    merging.merge(noor.id, sam.id, actor="staff:lin", now=NOON)
    surviving_id = owner(*NOOR)
    assert surviving_id == owner(*SAM)
    assert len(picture(surviving_id)["orders"]) == 2
    merging.separate(noor.id, sam.id, actor="staff:lin", now=NOON)

    noor.refresh_from_db()
    sam.refresh_from_db()
    assert [picture(noor), picture(sam)] == before
    assert_sound()


def test_the_address_of_two_accounts_that_staff_joined_leads_to_them_again_and_back():
    noor, sam = factories.customer(NOOR, MAIL), factories.customer(SAM, MAIL)
    assert Identifier.objects.get(kind="email").is_shared

    merging.merge(noor.id, sam.id, actor="staff:lin", now=NOON)

    assert owner(*MAIL) == owner(*NOOR) == owner(*SAM)
    assert_sound()
    merging.separate(noor.id, sam.id, actor="staff:lin", now=NOON)
    assert Identifier.objects.get(kind="email").is_shared
    assert_sound()


def test_events_during_a_merge_return_to_their_records_after_undo():
    noor, sam = factories.customer(NOOR), factories.customer(SAM)
    merging.merge(noor.id, sam.id, actor="staff:lin", now=NOON)
    record(order("A-2", SAM, total="20.00"))

    merging.separate(noor.id, sam.id, actor="staff:lin", now=NOON)

    assert Order.objects.get().customer_id == sam.id
    assert_sound()


def test_separated_records_are_not_merged_again_by_events():
    record(incoming_event(PHONE))
    record(incoming_event(NOOR, PHONE))
    merge = Merge.objects.get()

    merging.separate(merge.merged_into_id, merge.record_id, actor="staff:lin", now=NOON)
    record(incoming_event(NOOR, PHONE))

    assert owner(*NOOR) != owner(*PHONE)


def test_a_merge_is_on_both_logs_and_the_versions_stay_without_gaps():
    noor, sam = factories.customer(NOOR), factories.customer(SAM)

    merging.merge(noor.id, sam.id, actor="staff:lin", now=NOON)

    log_places = Event.objects.filter(name="Records Joined").values_list("customer_id", "version")
    assert sorted(log_places) == sorted([(noor.id, 2), (sam.id, 2)])


def test_event_of_a_kiosk_merges_no_records():
    kiosk = factories.sender(factories.source(is_shared=True))

    record(incoming_event(NOOR, PHONE), by=kiosk)
    record(incoming_event(SAM, PHONE, at=NOON + timedelta(days=1)), by=kiosk)

    assert owner(*NOOR) != owner(*SAM)
    assert not Identifier.objects.filter(is_shared=True).exists()


STORIES = {
    "a family": [
        incoming_event(NOOR, MAIL, message_id="1"),
        incoming_event(MAIL, message_id="2"),
        incoming_event(SAM, MAIL, message_id="3"),
        order("A-1", MAIL, total="5.00"),
    ],
    "one person, many devices": [
        identify(PHONE, MAIL, ("device", "d1"), city="Odense"),
        incoming_event(NOOR, PHONE, message_id="5"),
        identify(NOOR, LAPTOP, at=NOON + timedelta(hours=1), city="Aarhus"),
        order("A-1", NOOR, total="5.00"),
        order("A-1", LAPTOP, name="Order Cancelled", at=NOON + timedelta(hours=2)),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_any_order_and_any_repetition_gives_the_same_records(story):
    pictures = set()
    for arrival in itertools.permutations(story):
        tag = uuid.uuid4().hex[:8]
        by = factories.sender()
        for event in (*arrival, arrival[0]):
            record(tagged(event, tag), by=by)
        pictures.add(everything(tag))

    assert len(pictures) == 1


def tagged(event, tag):
    """The same event in a world of its own, told apart by a tag on every identifier."""
    import msgspec

    identifiers = tuple(
        (kind, value.replace("@", f"+{tag}@") if kind == "email" else f"{value}-{tag}")
        for kind, value in event.identifiers
    )
    return msgspec.structs.replace(event, identifiers=identifiers)


def everything(tag):
    customers = Customer.objects.live().filter(identifiers__value__contains=tag).distinct()
    return tuple(sorted(repr(comparable(customer)).replace(tag, "") for customer in customers))


def comparable(customer):
    return {name: rows for name, rows in picture(customer).items() if name != "members"}


def assert_sound():
    for ids in rebuild.live_ids():
        assert rebuild.find_differences(ids) == []


def test_event_stored_on_a_record_merged_at_once_stays_on_the_timeline():
    """The address had no record of its own until its first event, and then was joined at once."""
    by = factories.sender()
    record(identify(NOOR, MAIL), by=by)
    record(incoming_event(MAIL, name="Newsletter Opened"), by=by)
    record(incoming_event(MAIL, SAM), by=by)  # from now on the address leads to nobody

    pages = [
        timeline(id_, filters=TimelineFilter(), cursor=None, limit=50)
        for id_ in Customer.objects.live().values_list("id", flat=True)
    ]

    names = [event.name for page in pages for event in page.results]
    assert names.count("Newsletter Opened") == 1


@pytest.mark.parametrize("shape", ["one address", "one browser", "a chain"])
def test_large_component_of_claims_slows_no_later_event(shape, monkeypatch):
    """Anybody can claim what they like; each event after it would cost as much as all of it."""
    monkeypatch.setitem(record_creation.COMPONENT_LIMIT, CLAIMED, 10)
    monkeypatch.setattr(record_creation, "COMPONENT_LIMIT_PER_END", 5)
    page = factories.sender(trusted=False)
    pairs = {
        "one address": lambda n: (("anonymous_id", f"b-{n}"), MAIL),
        "one browser": lambda n: (PHONE, ("email", f"guest-{n}@example.com")),
        "a chain": lambda n: (("anonymous_id", f"b-{n // 2}"), ("email", f"e-{(n + 1) // 2}@x.io")),
    }

    receipts = [record(incoming_event(*pairs[shape](n)), by=page) for n in range(60)]

    assert all(receipt.accepted == 1 for receipt in receipts)
    with connection.cursor() as cursor:
        cursor.execute(sql.load("read_graph"), {"ids": [_first_linked()], "limit": 1000})
        assert len(cursor.fetchall()) <= 10 + 2 * 5 + 2
    assert Review.objects.count() <= len(receipts) / 10  # a question each time would bury the rest
    assert [
        difference for ids in rebuild.live_ids() for difference in rebuild.find_differences(ids)
    ] == []


def _first_linked() -> int:
    return Link.objects.order_by("id").values_list("first_id", flat=True)[0]


def test_proved_links_merge_beside_a_large_component_of_claims(monkeypatch):
    monkeypatch.setitem(record_creation.COMPONENT_LIMIT, CLAIMED, 0)
    monkeypatch.setattr(record_creation, "COMPONENT_LIMIT_PER_END", 0)
    page = factories.sender(trusted=False)
    record(incoming_event(PHONE), by=page)
    record(incoming_event(PHONE, MAIL), by=page)
    assert Link.objects.count() == 0

    record(incoming_event(NOOR, PHONE))

    assert owner(*NOOR) == owner(*PHONE)


def test_known_identifier_in_a_large_component_gets_its_record(monkeypatch):
    """It was seen beside another one, so its own record has to join that one's."""
    page = factories.sender(trusted=False)
    record(incoming_event(PHONE, MAIL), by=page)
    monkeypatch.setitem(record_creation.COMPONENT_LIMIT, CLAIMED, 0)
    monkeypatch.setattr(record_creation, "COMPONENT_LIMIT_PER_END", 0)

    receipt = record(incoming_event(MAIL), by=page)

    assert receipt.outcomes[0].customer_id == owner(*PHONE).id
    assert [
        difference for ids in rebuild.live_ids() for difference in rebuild.find_differences(ids)
    ] == []
