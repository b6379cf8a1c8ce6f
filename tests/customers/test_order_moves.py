"""An order moves with its history if its source, or an owner of the space, names another customer."""

import itertools
from datetime import timedelta

import pytest

from customers.identity import decisions
from customers.models import Event, Identifier, Order, Review, Space
from tests import factories
from tests.customers import orders
from tests.customers.graph import misplaced_orders
from tests.customers.orders import LATER, LIN, NOOR, SAM, order_event, owner_of
from tests.factories import NOON, identify, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return factories.sender()


def statuses_by_customer():
    """Return the status of order 1001, by the name in the address of its customer."""
    return {
        address[1].partition("@")[0]: stored.status
        for stored in Order.objects.filter(number__startswith="1001", evidence=2)
        for address in (NOOR, SAM, LIN)
        if Identifier.objects.filter(
            kind="email", value=address[1], customer_id=stored.customer_id
        ).exists()
    }


def assert_sound():
    orders.assert_sound()
    assert misplaced_orders() == []


@pytest.fixture
def moved(shop):
    record(order_event("Order Completed", NOOR, total="10.00", visit_date="2027-05-01"), by=shop)
    record(order_event("Order Amended", SAM, hour=2, visit_date="2027-05-02"), by=shop)


@pytest.mark.parametrize("name", ["Order Updated", "Order Amended"])
def test_source_moves_its_order_to_the_customer_it_names(shop, name):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event(name, SAM, hour=1), by=shop)

    assert statuses_by_customer() == {"sam": "amended"}
    assert_sound()


def test_history_of_a_moved_order_goes_with_it(shop, moved):
    stored = Order.objects.get(number="1001")

    assert stored.customer_id == owner_of(SAM)
    assert (str(stored.total), str(stored.visit_date)) == ("10.00", "2027-05-02")
    about = Event.objects.filter(about="order:1001", kind="track")
    assert {"Order Completed", "Order Amended", "Order Moved"} == set(
        about.values_list("name", flat=True)
    )
    for customer in (owner_of(NOOR), owner_of(SAM)):
        assert Event.objects.filter(customer_id=customer, name="Event Refiled").exists()


def test_move_that_arrives_before_its_order_moves_it(shop):
    record(order_event("Order Amended", SAM, hour=2), by=shop)
    record(order_event("Order Completed", NOOR), by=shop)

    assert statuses_by_customer() == {"sam": "amended"}
    assert_sound()


def test_later_events_follow_the_moved_order(shop, moved):
    gate = factories.sender()
    record(order_event("Order Line Cancelled", hour=3, line_id="1"), by=shop)
    record(order_event("Order Cancelled", NOOR, hour=4), by=shop)
    record(order_event("Ticket Scanned", hour=5), by=gate)

    assert statuses_by_customer() == {"sam": "cancelled"}
    assert_sound()


def test_order_moves_back_and_forth(shop, moved):
    record(order_event("Order Amended", NOOR, hour=3), by=shop)
    assert statuses_by_customer() == {"noor": "amended"}
    record(order_event("Order Amended", SAM, hour=4), by=shop)

    assert statuses_by_customer() == {"sam": "amended"}
    assert_sound()


def test_move_dated_before_a_later_move_changes_nothing(shop, moved):
    record(order_event("Order Amended", LIN, hour=1), by=shop)

    assert statuses_by_customer() == {"sam": "amended"}
    assert_sound()


def test_owner_of_the_space_moves_the_order_of_another_source(shop):
    back_office = factories.sender(factories.source(channel="server"))
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Amended", SAM, hour=1), by=back_office)

    assert statuses_by_customer() == {"sam": "amended"}
    assert_sound()


@pytest.mark.parametrize("channel", ["till", "desk", "import", "partner"])
def test_source_that_owns_nothing_moves_no_order(shop, channel):
    till = factories.sender(factories.source(channel=channel))
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Amended", SAM, hour=1, note="by the gate"), by=till)

    assert set(statuses_by_customer()) == {"noor"}
    assert_sound()


def test_owner_of_another_space_moves_and_changes_no_order(shop):
    space = Space.objects.create(name="elsewhere")
    stranger = factories.sender(factories.source(channel="server", space=space))
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Amended", SAM, hour=1), by=stranger)
    record(order_event("Order Cancelled", hour=2), by=stranger)

    stored = Order.objects.get(customer_id=owner_of(NOOR))
    assert stored.status == "placed"
    assert_sound()


@pytest.mark.parametrize(
    "name", ["Ticket Scanned", "Order Paid", "Order Refunded", "Order Cancelled"]
)
def test_scan_payment_refund_and_cancellation_move_no_order(shop, name):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event(name, SAM, hour=1), by=shop)

    assert set(statuses_by_customer()) == {"noor"}
    assert_sound()


def test_claim_moves_no_order(shop):
    page = factories.sender(factories.source(), trusted=False)
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Amended", SAM, hour=1), by=page)

    assert statuses_by_customer() == {"noor": "placed"}
    assert_sound()


def test_device_moves_no_order(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Amended", ("anonymous_id", "kiosk"), hour=1), by=shop)

    assert set(statuses_by_customer()) == {"noor"}


def test_staff_undo_a_move_and_restore_it(shop, moved):
    order_id = Identifier.objects.get(kind="order").pk
    sam_id = Identifier.objects.get(kind="email", value=SAM[1]).pk
    decision = decisions.decide("separate", order_id, sam_id, actor="staff:lin", now=LATER)
    assert statuses_by_customer() == {"noor": "amended"}
    assert_sound()

    decisions.undo_decision(decision_id=decision.pk, actor="staff:lin", now=LATER)

    assert statuses_by_customer() == {"sam": "amended"}
    assert_sound()


def test_move_leaves_another_order_with_the_number_alone(shop):
    other = factories.sender(factories.source(space=Space.objects.create(name="elsewhere")))
    record(order_event("Order Completed", NOOR, total="5.00"), by=other)
    record(order_event("Order Completed", LIN), by=shop)
    record(order_event("Order Amended", SAM, hour=1), by=shop)

    assert statuses_by_customer() == {"noor": "placed", "sam": "amended"}
    assert_sound()


def test_ambiguous_number_moves_neither_order(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM, hour=1), by=shop)
    record(order_event("Order Amended", LIN, hour=2), by=shop)

    assert statuses_by_customer() == {"noor": "placed", "sam": "placed"}
    assert_sound()


HISTORY = [
    (("Order Completed", NOOR), 0),
    (("Order Amended", SAM), 1),
    (("Order Refunded",), 2),
    (("Order Updated", LIN), 3),
    (("Ticket Scanned", NOOR), 4),
]


@pytest.mark.slow
def test_every_order_of_arrival_moves_the_order_to_the_same_customer(shop, subtests):
    from django.db import transaction

    record(*(identify(address) for address in (NOOR, SAM, LIN)), by=shop)
    for arrival in itertools.permutations(HISTORY):
        with subtests.test(str([event[0] for event, _ in arrival])), transaction.atomic():
            for (name, *people), hour in arrival:
                record(order_event(name, *people, hour=hour), by=shop, at=LATER)
            assert statuses_by_customer() == {"lin": "refunded"}
            assert_sound()
            transaction.set_rollback(True)


def test_staff_get_one_review_about_a_number_that_fits_two_orders(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM, hour=1), by=shop)
    record(order_event("Order Refunded", hour=2), by=shop)
    record(order_event("Order Refunded", hour=3), by=shop)

    [review] = Review.objects.all()
    assert (review.kind, review.details) == ("order_number", {"order": "1001"})
    assert review.first_id == Identifier.objects.get(kind="order").record_id
    assert statuses_by_customer() == {"noor": "placed", "sam": "placed"}


def test_staff_get_a_review_about_a_number_of_another_source_that_fits_two_orders(shop):
    desk, gate = factories.sender(), factories.sender()
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM), by=desk)
    record(order_event("Ticket Scanned", hour=2), by=gate)

    assert Review.objects.get().kind == "order_number"


def test_number_without_ambiguous_events_makes_no_review(shop):
    record(order_event("Order Completed", NOOR), by=shop)
    record(order_event("Order Completed", SAM, hour=1), by=shop)

    assert not Review.objects.exists()


@pytest.mark.parametrize("is_merged_first", [True, False])
def test_undone_merge_leaves_a_moved_order_with_the_customer_it_moved_to(shop, is_merged_first):
    record(identify(NOOR), identify(SAM), by=shop)
    record(order_event("Order Completed", NOOR, total="10.00"), by=shop)
    moving = order_event("Order Amended", SAM, hour=1)
    if not is_merged_first:
        record(moving, by=shop)
    merged = decisions.merge_records(owner_of(NOOR), owner_of(SAM), actor="staff:lin", now=LATER)
    if is_merged_first:
        record(moving, by=shop)
    assert len(statuses_by_customer()) == 2

    for decision in merged:
        decisions.undo_decision(decision_id=decision.pk, actor="staff:lin", now=LATER)

    assert statuses_by_customer() == {"sam": "amended"}
    assert_sound()


def test_moved_order_follows_the_mailbox_that_another_account_proves(shop):
    first, second = ("user_id", "first"), ("user_id", "second")
    record(identify(first, SAM), by=shop)
    record(order_event("Order Completed", first, total="10.00"), by=shop)
    record(order_event("Order Amended", SAM, hour=1), by=shop)
    before = Order.objects.get().customer_id

    record(identify(second, SAM, email_verified=True, at=NOON + timedelta(hours=2)), by=shop)

    stored = Order.objects.get()
    assert (stored.customer_id, str(stored.total)) == (owner_of(SAM), "10.00")
    assert stored.customer_id != before
    assert_sound()


@pytest.mark.parametrize(("number", "is_examined"), [("1002", False), ("1001", True)])
def test_only_events_of_stored_orders_are_examined_for_moves(
    shop, count_statements, number, is_examined
):
    orders.place(NOOR, by=shop)
    event = factories.order(number, NOOR, ("order", number), name="Order Shipped", at=NOON)

    with count_statements() as statements:
        record(event, by=shop)

    assert ("read_moved_orders" in statements) == is_examined
