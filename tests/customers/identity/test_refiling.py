"""An event is filed on another identifier later. Its row on the log does not change."""

from datetime import timedelta
from itertools import batched

import pytest

from customers import rebuild
from customers.actions.refiling import UnknownIdentifier, refile_events, undo_refiling
from customers.identity import decisions, refiling
from customers.models import BlockedValue, Customer, Event, Identifier, Order, RefiledEvent, Trait
from customers.queries.timeline import TimelineFilter, timeline
from tests import factories
from tests.factories import NOON, identify, incoming_event, order, record

pytestmark = pytest.mark.django_db

NOOR, SAM, LIN = ("user_id", "noor"), ("user_id", "sam"), ("user_id", "lin")
NOOR_MAIL, PHONE = ("email", "noor@example.com"), ("anonymous_id", "phone")


def refile(*events, to, reason="a till scanned the wrong card"):
    return refile_events(events=events, identifier=to, reason=reason, actor="staff:lin", now=NOON)


def undo(*events):
    return undo_refiling(events=events, actor="staff:lin", now=NOON)


def place(message_id):
    return Event.objects.values_list("customer_id", "version").get(message_id=message_id)


def placed(number, *identifiers, **facts):
    """Store an order, and return its place."""
    event = order(number, *identifiers, **facts)
    record(event)
    return place(event.message_id)


def live_record(customer):
    """Return the record that this one was merged into, or the record itself."""
    customer.refresh_from_db()
    return customer.canonical or customer


def timeline_page(customer, *, cursor=None, limit=100, **filters):
    of_staff = {"part": None, "is_for_customer": False}
    chosen = TimelineFilter(**filters)
    return timeline(customer.pk, filters=chosen, cursor=cursor, limit=limit, **of_staff)


def timeline_names(customer, **filters):
    page = timeline_page(customer, **filters)
    return [event.name or event.kind for event in page.results if event.kind != "identity"]


def facts(customer):
    """Return the projections and the timeline of a customer, without events about identity."""
    return (
        sorted(Order.objects.filter(customer=customer).values_list("number", "status", "total")),
        sorted(Trait.objects.filter(customer=customer).values_list("name", "value")),
        timeline_names(customer),
    )


def all_facts():
    return {customer.pk: facts(customer) for customer in Customer.objects.live()}


def assert_sound():
    for ids in rebuild.live_ids():
        assert rebuild.find_differences(ids) == []


def refilings():
    return sorted(RefiledEvent.objects.values_list("customer", "version", "record", "reason"))


@pytest.fixture
def noor():
    return factories.customer(NOOR, NOOR_MAIL, name="Noor")


@pytest.fixture
def sam():
    return factories.customer(SAM, name="Sam")


def test_refiled_order_is_on_the_other_record_and_timeline(noor, sam):
    event = placed("A-1", NOOR, total="10.00")

    refile(event, to=SAM)

    assert Order.objects.get().customer == sam
    assert "Order Completed" in timeline_names(sam)
    assert "Order Completed" not in timeline_names(noor)
    assert Event.objects.get(name="Order Completed").customer == noor
    assert_sound()


def test_later_event_about_a_refiled_order_is_projected_with_it(noor, sam):
    refile(placed("A-1", NOOR, total="10.00"), to=SAM)

    record(order("A-1", SAM, name="Order Cancelled", at=NOON + timedelta(hours=1)))

    assert (Order.objects.get().customer, Order.objects.get().status) == (sam, "cancelled")
    assert_sound()


def test_refiled_traits_move_and_the_earlier_value_returns(noor, sam):
    wrong = identify(NOOR, at=NOON + timedelta(hours=1), name="Sam de Wit")
    record(wrong)

    refile(place(wrong.message_id), to=SAM)

    names = dict(Trait.objects.filter(name="name").values_list("customer", "value"))
    assert names == {noor.id: "Noor", sam.id: "Sam de Wit"}
    assert_sound()


def test_both_logs_get_an_event_without_the_reason(noor, sam):
    log, version = placed("A-1", NOOR)

    refile((log, version), to=SAM, reason="Noor called about Sam")

    events = Event.objects.filter(name="Event Refiled")
    assert {(event.customer_id, event.kind) for event in events} == {
        (noor.id, "identity"),
        (sam.id, "identity"),
    }
    assert {event.actor for event in events} == {"staff:lin"}
    assert events[0].body["properties"] == {
        "events": [{"log": str(log), "version": version}],
        "from": str(noor.id),
        "to": str(sam.id),
    }
    assert RefiledEvent.objects.get().reason == "Noor called about Sam"


def test_second_refiling_to_the_same_identifier_changes_nothing(noor, sam):
    event = placed("A-1", NOOR)

    first, second = refile(event, to=SAM), refile(event, to=SAM)

    assert (len(first), second) == (1, [])
    assert Event.objects.filter(name="Event Refiled").count() == 2


def test_refiling_to_the_identifier_it_was_written_with_can_be_undone(noor, sam):
    event = placed("A-1", NOOR)
    refile(event, to=SAM)

    refile(event, to=NOOR)
    assert Order.objects.get().customer == noor
    assert_sound()

    undo(event)
    assert Order.objects.get().customer == sam
    assert_sound()

    undo(event)
    assert Order.objects.get().customer == noor
    assert not RefiledEvent.objects.exists()


def test_undo_returns_to_the_refiling_before_with_its_reason(noor, sam):
    lin = factories.customer(LIN, name="Lin")
    event = placed("A-1", NOOR)
    refile(event, to=SAM, reason="Sam ordered it")
    refile(event, to=LIN, reason="No, Lin")
    assert Order.objects.get().customer == lin

    undo(event)

    row = RefiledEvent.objects.get()
    assert (Order.objects.get().customer, row.reason, row.earlier) == (sam, "Sam ordered it", [])
    assert (row.actor, row.refiled_at) == ("staff:lin", NOON)
    undo(event)
    assert Order.objects.get().customer == noor
    assert undo(event) == []
    assert_sound()


def test_refiling_takes_the_strongest_evidence_of_an_identifier(noor, sam):
    claim = record(incoming_event(SAM), by=factories.sender(trusted=False))
    assert claim.outcomes[0].customer_id != sam.id

    refile(placed("A-1", NOOR), to=SAM)

    assert Order.objects.get().customer == sam


def test_identifier_without_a_record_gets_one_in_its_group(noor, sam):
    """The address was only seen beside the account, so nothing was filed on it."""
    assert Identifier.objects.get(kind="email").record is None

    refile(placed("A-1", SAM), to=NOOR_MAIL)

    address = Identifier.objects.get(kind="email")
    assert (address.record.canonical, address.customer) == (noor, noor)
    assert RefiledEvent.objects.get().record == address.record
    assert Order.objects.get().customer == noor
    assert_sound()


def test_timeline_of_the_other_record_pages_both_ways(noor, sam):
    places = [placed(f"A-{n}", NOOR, at=NOON + timedelta(hours=n)) for n in range(3)]
    refile(*places[:2], to=SAM)

    pages, cursor = [], None
    while True:
        page = timeline_page(sam, cursor=cursor, limit=1)
        pages.append(page)
        cursor = page.next
        if cursor is None:
            break
    back = timeline_page(sam, cursor=pages[-1].previous, limit=10)

    shown = [(event.customer, event.version) for page in pages for event in page.results]
    assert sorted(set(shown)) == sorted(shown)
    assert set(places[:2]) <= set(shown)
    assert places[2] not in shown
    assert [(event.customer, event.version) for event in back.results] == shown[:-1]


def test_timeline_filters_apply_to_refiled_events(noor, sam):
    refile(placed("A-1", NOOR), to=SAM)

    assert timeline_names(sam, name="Order Completed") == ["Order Completed"]
    assert timeline_names(sam, about="order:A-2") == []


def test_unknown_event_is_refused(noor, sam):
    with pytest.raises(refiling.UnknownEvents):
        refile((noor.id, 99), to=SAM)


@pytest.mark.parametrize("identifier", [("user_id", "nobody"), ("name", "Sam"), 10**15])
def test_unknown_identifier_is_refused(noor, identifier):
    event = placed("A-1", NOOR)

    with pytest.raises(UnknownIdentifier):
        refile(event, to=identifier)

    assert not RefiledEvent.objects.exists()


def test_blocked_identifier_is_refused(noor, sam):
    event = placed("A-1", NOOR)
    BlockedValue.objects.create(kind="user_id", value="sam")

    with pytest.raises(UnknownIdentifier):
        refile(event, to=SAM)


def test_event_about_identity_cannot_be_refiled(noor, sam):
    refile(placed("A-1", NOOR), to=SAM)
    fixed = Event.objects.filter(kind="identity").values_list("customer_id", "version")[0]

    with pytest.raises(refiling.FixedEvents):
        refile(fixed, to=SAM)


def test_merge_takes_refiled_events_along_and_its_undo_returns_them(noor, sam):
    lin = factories.customer(LIN, name="Lin")
    refile(placed("A-1", NOOR), to=SAM)
    before = all_facts()

    decisions.merge_records(sam.id, lin.id, actor="staff:lin", now=NOON)
    live = live_record(sam)
    assert (live, Order.objects.get().customer) == (live_record(lin), live)
    assert "Order Completed" in timeline_names(live)
    assert_sound()
    decisions.separate_records(sam.id, lin.id, actor="staff:lin", now=NOON)

    assert all_facts() == before
    assert_sound()


def test_event_refiled_during_a_merge_stays_there_after_the_undo(noor, sam):
    lin = factories.customer(LIN, name="Lin")
    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    event = placed("A-1", SAM)

    refile(event, to=LIN)
    decisions.separate_records(noor.id, sam.id, actor="staff:lin", now=NOON)

    assert Order.objects.get().customer == lin
    assert "Order Completed" in timeline_names(lin)
    assert_sound()
    undo(event)
    assert Order.objects.get().customer == sam
    assert_sound()


def test_event_refiled_within_a_merged_customer_decides_where_the_undo_puts_it(noor, sam):
    decisions.merge_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    event = placed("A-1", SAM)

    refile(event, to=NOOR)

    assert Event.objects.filter(name="Event Refiled").count() == 1
    decisions.separate_records(noor.id, sam.id, actor="staff:lin", now=NOON)
    assert Order.objects.get().customer == noor
    assert_sound()


# The next identifier of each event -----------------------------------------------------


def test_events_of_a_placeholder_go_to_the_next_identifier_of_each(noor, sam, monkeypatch):
    monkeypatch.setattr(refiling, "BATCH_SIZE", 2)
    placeholder = ("user_id", "desk")
    orders = [
        order("A-1", placeholder, NOOR_MAIL),
        order("A-2", placeholder, ("email", "new@example.com"), PHONE),
        order("A-3", placeholder, PHONE),
        order("A-4", placeholder),
        order("A-5", placeholder, NOOR_MAIL, SAM),
    ]
    for event in orders:
        record(event)
    identifier = Identifier.objects.get(kind="user_id", value__endswith="desk")

    moved = refiling.refile_all([identifier.id], reason="placeholder", actor="butler", now=NOON)

    targets = [refiled_to(event.message_id) for event in orders]
    assert targets == ["noor@example.com", "new@example.com", "phone", None, "sam"]
    assert len(moved) == 4
    assert_sound()
    assert not refiling.refile_all([identifier.id], reason="", actor="butler", now=NOON)


def test_batch_that_makes_a_number_a_placeholder_reads_the_changed_logs_again():
    """The events of the number go to addresses that the same batch names, so their logs grow."""
    by = factories.sender()
    number = ("user_id", "placeholder")
    mailboxes = [("email", f"guest-{count}@example.com") for count in range(7)]
    for mailbox in mailboxes[:5]:
        record(incoming_event(mailbox), by=by)
        record(identify(number, mailbox, city="Odense"), by=by)

    receipt = record(
        incoming_event(mailboxes[0], name="Ride Left"),
        *[identify(number, mailbox, city="Aarhus") for mailbox in mailboxes[5:]],
        incoming_event(mailboxes[1], name="Ride Left"),
        by=by,
    )

    assert receipt.accepted == 4
    assert Identifier.objects.get(kind="user_id").is_placeholder
    assert RefiledEvent.objects.filter(reason="placeholder").exists()
    assert_sound()


@pytest.mark.parametrize("size", [1, 2, 6], ids="{} in a batch".format)
def test_all_events_of_a_late_placeholder_move_however_they_are_batched(size):
    number = ("user_id", "placeholder")
    stated = [identify(number, ("email", f"guest-{count}@example.com")) for count in range(6)]
    for batch in batched(stated, size, strict=True):
        record(*batch)

    mailboxes = Identifier.objects.filter(kind="email")
    assert {row.record_id for row in RefiledEvent.objects.filter(reason="placeholder")} == set(
        mailboxes.values_list("record", flat=True)
    )
    assert mailboxes.filter(record=None).count() == 0
    assert_sound()


def refiled_to(message_id):
    """Return the value of the identifier that an event was filed on later; None without one."""
    log, version = place(message_id)
    refiled = RefiledEvent.objects.filter(customer=log, version=version).first()
    return refiled and Identifier.objects.get(record=refiled.record_id).value.split("/")[-1]


def test_events_of_a_placeholder_go_to_no_blocked_number():
    placeholder, office = ("user_id", "desk"), ("external:crm", "office")
    event = order("A-1", placeholder, office, NOOR_MAIL)
    record(event)
    BlockedValue.objects.create(kind="external:crm", value="office")
    identifier = Identifier.objects.get(kind="user_id", value__endswith="desk")

    refiling.refile_all([identifier.id], reason="placeholder", actor="butler", now=NOON)

    assert refiled_to(event.message_id) == "noor@example.com"
