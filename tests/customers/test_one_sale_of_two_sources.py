"""If a shop and its till send the same sale, it is one order. Sales that differ are two orders."""

import itertools
from datetime import timedelta

import pytest
from django.db import transaction

from customers.actions import ticket_codes
from customers.identity.rebuilding import rebuild_identities
from customers.models import Identifier, Order, Review, Space
from tests import factories
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
    statuses,
)
from tests.factories import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return factories.sender()


@pytest.fixture
def till():
    return factories.sender(factories.source(channel="till"))


def sell(*people, by, minute=0, hour=0, **facts):
    """Record the sale of the ticket, as one source sends it."""
    record(
        order_event("Order Completed", *people, hour=hour, **{"products": [TICKET]} | facts),
        by=by,
        at=LATER + timedelta(minutes=minute),
    )


@pytest.mark.parametrize("person", [NOOR, SAM, None], ids=["same customer", "another", "nobody"])
def test_same_sale_of_shop_and_till_is_one_order_of_the_first_customer(shop, till, person):
    sell(NOOR, by=shop)
    sell(*[person] if person else [], by=till, minute=1)

    assert statuses(NOOR) == {"1001": "placed"}
    if person == SAM:
        assert statuses(SAM) == {}
    assert not Review.objects.exists()
    assert_sound()


@pytest.mark.parametrize(
    ("hour", "facts"),
    [
        pytest.param(0, {"products": [DINNER]}, id="other lines"),
        pytest.param(0, {"products": [TICKET | {"quantity": 3}]}, id="other quantity"),
        pytest.param(0, {"products": [TICKET | {"unit_price": "9.00"}]}, id="other price"),
        pytest.param(0, {"products": []}, id="no lines"),
        pytest.param(1, {}, id="another time"),
    ],
)
@pytest.mark.parametrize("person", [NOOR, SAM], ids=["same customer", "another"])
def test_sales_that_disagree_are_two_orders(shop, till, person, hour, facts):
    sell(NOOR, by=shop)
    sell(person, by=till, minute=1, hour=hour, **facts)

    orders = [*statuses(NOOR).items(), *(statuses(SAM).items() if person == SAM else [])]
    assert sorted(orders) == [
        ("1001", "placed"),
        ("1001" if person == SAM else "1001·2", "placed"),
    ]
    assert_sound()


def test_two_orders_stay_two_when_a_later_event_of_one_agrees_with_the_other(shop, till):
    sell(NOOR, by=shop)
    sell(NOOR, by=till, minute=1, hour=1)
    sell(NOOR, by=shop, minute=2, hour=1)

    assert statuses(NOOR) == {"1001": "placed", "1001·2": "placed"}
    assert_sound()


def test_names_and_other_fields_of_lines_make_no_second_order(shop, till):
    server_line = {"product_id": "ticket", "sku": "T-1", "quantity": 2, "price": 10, "name": "Day"}
    till_line = {"line_id": "7", "product_id": "ticket", "quantity": 2, "unit_price": "10.00"}
    sell(NOOR, by=shop, products=[server_line])
    sell(NOOR, by=till, minute=1, products=[till_line])

    assert statuses(NOOR) == {"1001": "placed"}
    assert_sound()


def test_sources_of_two_spaces_that_send_the_same_sale_have_two_orders(shop):
    sell(NOOR, by=shop)
    other = Space.objects.create(name="other")
    sell(NOOR, by=factories.space_sender(other), minute=1)

    assert statuses(NOOR) == {"1001": "placed", "1001·2": "placed"}
    assert_sound()


@pytest.mark.parametrize("by", ["shop", "till", "third"])
def test_each_source_of_the_space_means_the_one_order(shop, till, by):
    sell(NOOR, by=shop)
    sell(SAM, by=till, minute=1)
    senders = {"shop": shop, "till": till, "third": factories.sender()}
    record(order_event("Order Cancelled", hour=1), by=senders[by], at=LATER + timedelta(minutes=2))

    assert statuses(NOOR) == {"1001": "cancelled"}
    assert not Review.objects.exists()
    assert_sound()


def test_sale_that_till_and_shop_send_moves_as_one_order(shop, till):
    sell(NOOR, by=shop)
    sell(SAM, by=till, minute=1)
    record(order_event("Order Updated", LIN, hour=1), by=shop, at=LATER + timedelta(minutes=2))
    record(order_event("Order Refunded", NOOR, hour=2), by=till, at=LATER + timedelta(minutes=3))

    assert (statuses(NOOR), statuses(SAM), statuses(LIN)) == ({}, {}, {"1001": "refunded"})
    assert_sound()


def test_repeated_order_of_one_source_stays_one_order_after_its_move(shop):
    sell(NOOR, by=shop)
    sell(SAM, by=shop, minute=1)
    record(order_event("Order Updated", LIN, hour=1), by=shop, at=LATER + timedelta(minutes=2))
    record(order_event("Order Cancelled", hour=2), by=shop, at=LATER + timedelta(minutes=3))

    assert (statuses(NOOR), statuses(SAM), statuses(LIN)) == ({}, {}, {"1001": "cancelled"})
    assert not Identifier.objects.get(kind="order").is_shared
    assert_sound()


def test_refund_that_shop_and_till_send_counts_once(shop, till):
    sell(NOOR, by=shop)
    sell(by=till, minute=1)
    for minute, by in enumerate((shop, till), start=2):
        refund = order_event("Order Refunded", hour=1, amount="5.00")
        record(refund, by=by, at=LATER + timedelta(minutes=minute))

    assert str(Order.objects.get().total) == "15.00"
    assert_sound()


def test_till_that_repeats_a_sale_moves_it_to_no_other_customer(shop, till):
    sell(NOOR, by=shop)
    sell(SAM, by=till, minute=1)
    record(
        order_event("Order Amended", SAM, hour=1, note="gift"),
        by=till,
        at=LATER + timedelta(minutes=2),
    )

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "amended"}, {})
    assert_sound()


def test_one_sale_has_one_set_of_ticket_codes(shop, till):
    def codes():
        return ticket_codes.read_tickets(customer_id=owner_of(NOOR), number="1001", now=LATER)

    sell(NOOR, by=shop, visit_date="2027-05-01")
    before = codes()
    sell(SAM, by=till, minute=1, visit_date="2027-05-01")

    assert codes() == before != []


def test_rebuild_keeps_one_sale_of_two_sources_on_its_first_customer(shop, till):
    sell(NOOR, by=shop)
    sell(SAM, by=till, minute=1)
    rebuild_identities(dict(Identifier.objects.values_list("pk", "record_id")), now=LATER)

    assert (statuses(NOOR), statuses(SAM)) == ({"1001": "placed"}, {})
    assert_sound()


SALE = [("shop", "Order Completed", NOOR, 0), ("till", "Order Completed", SAM, 0)]
CHANGES = [("till", "Order Amended", SAM, 1), ("shop", "Order Refunded", None, 2)]


@pytest.mark.parametrize("history", [*itertools.permutations([*SALE, *CHANGES])])
def test_one_sale_stays_one_order_in_every_order_of_arrival(shop, till, history):
    senders = {"shop": shop, "till": till}
    with transaction.atomic():
        for minute, (by, name, person, hour) in enumerate(history):
            facts = {"products": [TICKET]} if name == "Order Completed" else {}
            record(
                order_event(name, *[person] if person else [], hour=hour, **facts),
                by=senders[by],
                at=LATER + timedelta(minutes=minute),
            )

    orders = [statuses(person) for person in (NOOR, SAM)]
    assert sorted(map(dict, orders), key=len) == [{}, {"1001": "refunded"}]
    assert_sound()
