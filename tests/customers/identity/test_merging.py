import itertools
import uuid
from datetime import timedelta

import pytest

from customers import rebuild
from customers.identity import decisions, graph
from customers.models import Customer, Event, Identifier, Link, Merge, Order, Review, Trait
from customers.queries.timeline import TimelineFilter, timeline
from tests import factories
from tests.customers.graph import misplaced_identifiers
from tests.factories import NOON, identify, incoming_event, order, owners, record

pytestmark = pytest.mark.django_db

NOOR, SAM = ("user_id", "noor"), ("user_id", "sam")
PHONE, LAPTOP = ("anonymous_id", "phone"), ("anonymous_id", "laptop")
MAIL = ("email", "noor@example.com")


def owner(kind, value="", evidence=None):
    rows = Identifier.objects.filter(kind=kind, value__endswith=value)
    return (rows.filter(evidence=evidence) if evidence else rows).get().customer


def owner_of(number):
    """The live record of an account of the only source that has the number."""
    return owner("user_id", f"/{number}")


def picture(customer):
    """A record field by field, without the ids that differ from run to run."""
    return {
        "identifiers": sorted(
            (kind, value.rpartition("/")[2], evidence)
            for kind, value, evidence in customer.identifiers.values_list(
                "kind", "value", "evidence"
            )
        ),
        "traits": sorted(Trait.objects.filter(customer=customer).values_list("name", "value")),
        "orders": sorted(Order.objects.filter(customer=customer).values_list("number", "total")),
        "members": customer.members.count(),
    }


def test_sign_in_brings_the_earlier_activity_of_the_device():
    record(incoming_event(PHONE), by=factories.sender(trusted=False))

    record(incoming_event(NOOR, PHONE))

    assert owner("user_id") == owner(*PHONE)
    assert Merge.objects.get().reason == "statement"


def test_claim_neither_opens_nor_merges_a_record():
    noor = factories.customer(NOOR, MAIL, name="Noor")

    receipt = record(
        identify(LAPTOP, MAIL, NOOR, name="Mallory"), by=factories.sender(trusted=False)
    )

    assert receipt.outcomes[0].customer_id != noor.id
    assert Trait.objects.get(customer=noor, name="name").value == "Noor"
    assert not Review.objects.exists()


def test_claims_of_two_browsers_join_neither_the_browsers_nor_the_account():
    claims = factories.sender(trusted=False)
    record(incoming_event(PHONE, NOOR), by=claims)
    record(incoming_event(LAPTOP, NOOR), by=claims)
    assert owner(*PHONE) != owner(*LAPTOP)

    record(incoming_event(NOOR, PHONE))

    assert owner(*PHONE) == owner("user_id", evidence=2)
    assert owner(*LAPTOP) != owner(*PHONE)
    assert_sound()


def test_second_account_with_the_mailbox_of_another_keeps_its_own_record():
    noor = factories.customer(NOOR, MAIL)

    sam = factories.customer(SAM, MAIL)

    assert noor != sam
    assert owner(*MAIL) == noor
    assert Link.objects.filter(state="contested").count() == 1
    assert_sound()


def test_earlier_statement_that_comes_late_takes_the_mailbox():
    factories.customer(NOOR, MAIL)
    guest = record(incoming_event(MAIL, at=NOON))

    sam = record(identify(SAM, MAIL, at=NOON - timedelta(days=1)))

    assert owner(*MAIL).id == sam.outcomes[0].customer_id
    assert guest.outcomes[0].customer_id != owner(*MAIL).id
    assert_sound()


def test_mailbox_in_an_order_is_only_noted():
    noor = factories.customer(NOOR)

    record(order("A-1", NOOR, ("email", "friend@example.com"), total="5.00"))

    assert noor == owner("user_id")
    assert Identifier.objects.get(kind="email").customer is None
    assert Link.objects.get(kind="seen", evidence=20, state="filed")


def test_undoing_a_merge_restores_both_records_field_by_field():
    noor = factories.customer(NOOR, MAIL, name="Noor", city="Odense")
    sam = factories.customer(SAM, ("email", "sam@example.com"), name="Sam")
    record(order("A-1", NOOR, total="10.00"), order("A-2", SAM, total="20.00"))
    before = [picture(noor), picture(sam)]

    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    surviving_id = owner_of("noor")
    assert surviving_id == owner_of("sam")
    assert len(picture(surviving_id)["orders"]) == 2
    decisions.separate_records(noor.id, sam.id, actor="staff:lin", now=NOON)

    noor.refresh_from_db()
    sam.refresh_from_db()
    assert [picture(noor), picture(sam)] == before
    assert_sound()


def test_mailbox_of_two_accounts_stays_with_the_first_while_staff_merge_and_separate_them():
    noor, sam = factories.customer(NOOR, MAIL), factories.customer(SAM, MAIL)

    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)

    assert owner(*MAIL) == owner_of("noor") == owner_of("sam")
    assert not Link.objects.filter(state="contested").exists()
    assert_sound()
    decisions.separate_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    assert owner(*MAIL) == owner_of("noor") == noor
    assert Link.objects.filter(state="contested").count() == 1
    assert_sound()


def test_undoing_a_decision_gives_what_was_before():
    noor, sam = factories.customer(NOOR, MAIL), factories.customer(SAM)
    before = [picture(noor), picture(sam)]
    (decision,) = decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)

    decisions.undo_decision(decision_id=decision.id, actor="staff:lin", now=NOON)

    assert [picture(noor), picture(sam)] == before
    record(identify(SAM, ("card", "C1")))
    assert owner("card", "C1") == sam
    assert_sound()


def test_merge_leaves_other_separated_records_apart():
    noor, sam, lin = (factories.customer(("user_id", name)) for name in ("noor", "sam", "lin"))
    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    decisions.separate_records(noor.id, sam.id, actor="staff:lin", now=NOON)

    decisions.merge_records(noor.id, lin.id, actor="staff:lin", now=NOON)

    assert owner_of("noor") == owner_of("lin") == noor
    assert owner_of("sam") == sam
    assert_sound()


def test_merge_of_separated_records_replaces_the_separation_of_their_identifiers():
    noor, sam, lin = (factories.customer(("user_id", name)) for name in ("noor", "sam", "lin"))
    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    decisions.separate_records(sam.id, lin.id, actor="staff:lin", now=NOON)

    decisions.merge_records(noor.id, lin.id, actor="staff:lin", now=NOON)

    assert owner_of("noor") == owner_of("sam") == owner_of("lin")
    assert_sound()


def test_events_during_a_merge_return_to_their_records_after_undo():
    noor, sam = factories.customer(NOOR), factories.customer(SAM)
    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    record(order("A-2", SAM, total="20.00"))

    decisions.separate_records(noor.id, sam.id, actor="staff:lin", now=NOON)

    assert Order.objects.get().customer_id == sam.id
    assert_sound()


def test_separated_records_are_not_merged_again_by_events():
    record(incoming_event(PHONE))
    record(incoming_event(NOOR, PHONE))
    merge = Merge.objects.get()

    decisions.separate_records(merge.merged_into_id, merge.record_id, actor="staff:lin", now=NOON)
    record(incoming_event(NOOR, PHONE))

    assert owner_of("noor") != owner(*PHONE)


def test_a_merge_is_on_both_logs_and_the_versions_stay_without_gaps():
    noor, sam = factories.customer(NOOR), factories.customer(SAM)

    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)

    log_places = Event.objects.filter(name="Records Joined").values_list("customer_id", "version")
    assert sorted(log_places) == sorted([(noor.id, 2), (sam.id, 2)])


def test_event_of_a_kiosk_merges_no_records():
    kiosk = factories.sender(factories.source(is_shared=True))

    record(incoming_event(NOOR, PHONE), by=kiosk)
    record(incoming_event(SAM, PHONE, at=NOON + timedelta(days=1)), by=kiosk)

    assert owner_of("noor") != owner_of("sam")
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
    record(identify(MAIL, SAM, at=NOON - timedelta(days=1)), by=by)  # the address moves to Sam

    pages = [
        timeline(
            id_, filters=TimelineFilter(), cursor=None, limit=50, part=None, is_for_customer=False
        )
        for id_ in Customer.objects.live().values_list("id", flat=True)
    ]

    names = [event.name for page in pages for event in page.results]
    assert names.count("Newsletter Opened") == 1


@pytest.mark.parametrize("shape", ["one address", "one browser", "a chain"])
def test_claims_connect_nothing_that_a_later_event_has_to_read(shape):
    """Anybody can send claims. If claims were linked, each later event would read all of them."""
    page = factories.sender(trusted=False)
    pairs = {
        "one address": lambda n: (("anonymous_id", f"b-{n}"), MAIL),
        "one browser": lambda n: (PHONE, ("email", f"guest-{n}@example.com")),
        "a chain": lambda n: (("anonymous_id", f"b-{n // 2}"), ("email", f"e-{(n + 1) // 2}@x.io")),
    }

    receipts = [record(incoming_event(*pairs[shape](n)), by=page) for n in range(20)]

    assert all(receipt.accepted == 1 for receipt in receipts)
    assert not Link.objects.exclude(state="filed").exists()
    assert len(graph.read_locked(Identifier.objects.values_list("id", flat=True)[:1]).rows) == 1
    assert_sound()


def test_mailbox_that_many_accounts_state_costs_a_later_event_no_more(count_statements):
    company = ("email", "info@example.com")
    for n in range(30):
        record(identify(("user_id", f"u-{n}"), company))

    with count_statements() as statements:
        record(identify(("user_id", "u-new"), company))

    company_id = Identifier.objects.get(kind="email").id
    assert len(graph.read_locked([company_id]).rows) == 2
    assert len(statements) <= 20, statements


def test_page_cannot_file_an_event_on_the_device_of_a_kiosk():
    kiosk = factories.source("Kiosk", "kiosk", is_shared=True, addresses="checked")
    page = factories.sender(trusted=False)
    device = f"kiosk-1@{kiosk.pk}/{NOON:%Y-%m-%d}"
    stated = identify(("user_id", "7"), ("anonymous_id", "kiosk-1"))
    [noor] = owners(record(stated, by=factories.sender(kiosk, addresses="checked")))

    forged = incoming_event(("anonymous_id", device), ("anonymous_id", "browser"))
    alone = incoming_event(("anonymous_id", device))

    ingested = record(forged, alone, by=page)
    assert noor not in owners(ingested)
    assert [outcome.status for outcome in ingested.outcomes] == ["accepted", "quarantined"]


@pytest.mark.parametrize(
    "attached", [("card", "C19"), ("phone", "+31612300456"), ("anonymous_id", "browser")]
)
def test_nothing_stays_on_an_account_that_turns_out_to_be_a_placeholder(attached):
    for number in range(6):
        event = identify(("user_id", "guests"), attached, ("email", f"m{number}@example.com"))
        record(event)

    assert Identifier.objects.get(kind="user_id").is_placeholder
    assert misplaced_identifiers() == []
    assert owner_of("guests") != owner(attached[0])


def test_phone_of_two_accounts_is_on_the_other_once_one_turns_out_to_be_a_placeholder():
    phone = ("phone", "+31612300456")
    record(identify(NOOR, phone))
    for number in range(6):
        record(identify(("user_id", "guests"), phone, ("email", f"m{number}@example.com")))

    assert misplaced_identifiers() == []
    assert owner("phone") == owner_of("noor")


def test_proved_address_that_staff_took_off_is_contested_after_its_source_named_another():
    checked = factories.sender(factories.source(addresses="checked"), addresses="checked")
    record(identify(NOOR, MAIL), by=checked)
    decisions.decide(
        "separate", *Identifier.objects.values_list("id", flat=True), actor="staff:lin", now=NOON
    )

    later = NOON + timedelta(hours=1)
    record(identify(NOOR, ("email", "new@example.com"), at=later), by=checked)

    assert misplaced_identifiers() == []
