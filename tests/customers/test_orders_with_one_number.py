"""Two orders with one number stay separate, on one record and on two."""

import itertools

import pytest
from django.db import transaction

from customers.actions import orders as order_actions
from customers.actions import ticket_codes
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.identity import decisions
from customers.models import Identifier, Order, Review
from customers.queries import lists
from tests import factories
from tests.customers.graph import misplaced_orders
from tests.customers.orders import (
    DINNER,
    LATER,
    LIN,
    NOOR,
    SAM,
    TICKET,
    assert_sound,
    order_event,
    owner_of,
    place,
    statuses,
)
from tests.factories import identify, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return factories.sender()


@pytest.fixture
def desk():
    return factories.sender()


def by_staff(number, address=NOOR):
    sender = internal_sources.signed_in_sender("staff console", "console")
    author = ChangeAuthor(sender, "staff:lin")
    return order_actions.OrderTarget(owner_of(address), number, author, LATER)


# Two sources, one customer ---------------------------------------------------------------


@pytest.fixture
def twice(shop, desk):
    """An order of the shop and one of the desk with its number, both of Noor."""
    place(NOOR, by=shop, products=[TICKET])
    place(NOOR, by=desk, hour=1, products=[DINNER])


def test_orders_of_two_sources_on_one_record_stay_two_orders(twice):
    totals = dict(Order.objects.values_list("number", "total"))

    assert {number: str(total) for number, total in totals.items()} == {
        "1001": "20.00",
        "1001·2": "20.00",
    }
    assert [line["product"] for line in Order.objects.get(number="1001·2").lines] == ["dinner"]
    assert_sound()


def test_each_source_changes_its_own_order_of_the_record(twice, shop, desk):
    record(order_event("Order Cancelled", hour=2), by=desk)
    record(order_event("Order Amended", hour=3, visit_date="2027-05-01"), by=shop)

    assert statuses() == {"1001": "amended", "1001·2": "cancelled"}
    assert_sound()


def test_number_of_a_third_source_changes_neither_order_and_makes_a_review(twice):
    record(order_event("Order Cancelled", NOOR, hour=2), by=factories.sender())

    assert statuses() == {"1001": "placed", "1001·2": "placed"}
    assert Review.objects.get().kind == "order_number"
    assert_sound()


@pytest.mark.parametrize("number", ["1001", "1001·2"])
def test_staff_change_the_order_whose_shown_number_they_choose(twice, number):
    order_actions.cancel_order(target=by_staff(number))

    assert statuses() == {"1001": "placed", "1001·2": "placed"} | {number: "cancelled"}
    assert_sound()


def test_change_by_staff_stays_with_its_order_when_an_earlier_order_arrives(twice):
    order_actions.cancel_order(target=by_staff("1001·2"))
    place(NOOR, by=factories.sender(), hour=-1)

    assert statuses() == {"1001": "placed", "1001·2": "placed", "1001·3": "cancelled"}
    assert_sound()


def test_second_order_disappears_when_its_event_is_filed_on_another_customer(twice, desk):
    record(identify(SAM), by=desk)
    record(order_event("Order Amended", SAM, hour=2), by=desk)

    assert statuses() == {"1001": "placed"}
    assert statuses(SAM) == {"1001": "amended"}
    assert_sound()


def test_cancellation_by_staff_moves_with_its_order_and_changes_no_other(twice, desk):
    order_actions.cancel_order_line(target=by_staff("1001·2"), line="b")
    record(order_event("Order Amended", SAM, hour=60), by=desk)

    assert statuses() == {"1001": "placed"}
    assert Order.objects.get(customer_id=owner_of(SAM)).lines[0]["status"] == "cancelled"
    assert_sound()


def test_number_with_a_place_is_never_the_number_of_a_source(shop):
    record(identify(NOOR), by=shop)
    noor = {"customer_id": owner_of(NOOR), "author": ChangeAuthor(shop), "now": LATER}

    with pytest.raises(order_actions.OrderNumberInUse):
        order_actions.place_order(**noor, number="1001·2", order={})


# One source, several customers -----------------------------------------------------------


def test_second_order_of_a_source_with_a_number_is_shown_with_its_place(shop):
    place(NOOR, by=shop)
    place(SAM, by=shop, hour=1)

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "placed"}, {"1001·2": "placed"})
    assert_sound()


PLACEMENTS = [(NOOR, 0), (SAM, 1), (LIN, 2)]


@pytest.mark.parametrize("arrival", [*itertools.permutations(PLACEMENTS)])
def test_places_follow_the_times_of_the_orders_in_any_order_of_arrival(shop, arrival):
    for person, hour in arrival:
        place(person, by=shop, hour=hour)

    assert [[*statuses(person)] for person, _ in PLACEMENTS] == [["1001"], ["1001·2"], ["1001·3"]]
    assert misplaced_orders() == []
    assert_sound()


def test_change_that_names_the_customer_means_the_order_of_that_customer(shop):
    place(NOOR, by=shop)
    place(SAM, by=shop, hour=1)
    record(order_event("Order Cancelled", SAM, hour=2), by=shop)

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "placed"}, {"1001·2": "cancelled"})
    assert_sound()


def test_sent_number_finds_the_only_order_of_the_customer_with_it(shop):
    place(NOOR, by=shop)
    place(SAM, by=shop, hour=1)
    assert lists.order(owner_of(SAM), "1001", part=None).number == "1001·2"

    order_actions.cancel_order(target=by_staff("1001", SAM))

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "placed"}, {"1001·2": "cancelled"})
    assert_sound()


def test_joined_customers_have_one_order_and_later_orders_get_the_place_before(shop):
    for hour, person in enumerate((NOOR, SAM, LIN)):
        place(person, by=shop, hour=hour)
    ids = [Identifier.objects.get(kind="email", value=value).pk for _, value in (NOOR, SAM)]
    decision = decisions.decide("merge", *ids, actor="staff:lin", now=LATER)
    assert ([*statuses(NOOR)], [*statuses(LIN)]) == (["1001"], ["1001·2"])
    assert_sound()

    decisions.undo_decision(decision_id=decision.pk, actor="staff:lin", now=LATER)

    assert [[*statuses(person)] for person in (NOOR, SAM, LIN)] == [
        ["1001"],
        ["1001·2"],
        ["1001·3"],
    ]
    assert_sound()


# The same order, said again --------------------------------------------------------------


def test_same_time_and_lines_are_one_order_of_the_first_customer(shop):
    place(NOOR, by=shop, products=[TICKET])
    place(SAM, by=shop, products=[TICKET])

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "placed"}, {})
    assert not Identifier.objects.get(kind="order").is_shared
    record(order_event("Order Cancelled", hour=1), by=shop)
    assert statuses(NOOR) == {"1001": "cancelled"}
    assert_sound()


def test_same_order_twice_in_one_batch_is_one_order(shop):
    record(
        *(order_event("Order Completed", person, products=[TICKET]) for person in (NOOR, SAM)),
        by=shop,
    )

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "placed"}, {})
    assert_sound()


@pytest.mark.parametrize(
    ("hour", "facts"),
    [
        pytest.param(0, {"products": [DINNER]}, id="other lines"),
        pytest.param(0, {}, id="no lines"),
        pytest.param(1, {"products": [TICKET]}, id="another time"),
    ],
)
def test_other_time_or_lines_are_another_order(shop, hour, facts):
    place(NOOR, by=shop, products=[TICKET])
    place(SAM, by=shop, hour=hour, **facts)

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "placed"}, {"1001·2": "placed"})
    assert_sound()


# Ticket codes ----------------------------------------------------------------------------


def test_orders_with_one_number_have_their_own_ticket_codes(twice, shop, desk):
    record(order_event("Order Amended", hour=2, visit_date="2027-05-01"), by=shop)
    record(order_event("Order Amended", hour=2, visit_date="2027-05-01"), by=desk)
    codes = {
        number: {
            ticket.code
            for ticket in ticket_codes.read_tickets(
                customer_id=owner_of(NOOR), number=number, now=LATER
            )
        }
        for number in ("1001", "1001·2")
    }

    assert all(codes.values())
    assert codes["1001"].isdisjoint(codes["1001·2"])


def test_codes_stay_valid_when_a_later_order_has_the_number(shop):
    place(NOOR, by=shop, visit_date="2027-05-01")

    def codes():
        return ticket_codes.read_tickets(customer_id=owner_of(NOOR), number="1001", now=LATER)

    before = codes()
    place(SAM, by=shop, hour=1, visit_date="2027-05-01")

    assert codes() == before
    of_sam = ticket_codes.read_tickets(customer_id=owner_of(SAM), number="1001·2", now=LATER)
    assert {ticket.code for ticket in of_sam}.isdisjoint(ticket.code for ticket in before)


# Any order of arrival --------------------------------------------------------------------

HISTORY = [
    ("shop", "Order Completed", NOOR, 0),
    ("desk", "Order Completed", NOOR, 1),
    ("shop", "Order Completed", SAM, 2),
    ("desk", "Order Cancelled", None, 3),
    ("shop", "Order Refunded", NOOR, 4),
]


@pytest.mark.slow
def test_every_order_of_arrival_gives_the_same_orders(shop, desk):
    senders = {"shop": shop, "desk": desk}
    outcomes = set()
    for arrival in itertools.permutations(HISTORY):
        with transaction.atomic():
            for by, name, person, hour in arrival:
                people = [person] if person else []
                record(order_event(name, *people, hour=hour), by=senders[by], at=LATER)
            outcomes.add((*sorted(statuses(NOOR).items()), *sorted(statuses(SAM).items())))
            assert_sound()
            transaction.set_rollback(True)

    assert outcomes == {(("1001", "refunded"), ("1001·2", "cancelled"), ("1001·2", "placed"))}
