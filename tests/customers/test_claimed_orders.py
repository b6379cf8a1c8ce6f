"""An order from claims with a publishable key is a request, without a price, a code and a source."""

import pytest
from django.db import transaction

from customers.actions import order_requests
from customers.actions import orders as order_actions
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.models import Order, Review
from tests import factories
from tests.customers.orders import (
    LATER,
    NOOR,
    TICKET,
    assert_sound,
    order_event,
    place,
    statuses,
)
from tests.factories import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return factories.sender()


@pytest.fixture
def page():
    return factories.sender(trusted=False)


BROWSER = ("anonymous_id", "b-1")


def claim(name, *, by, hour=0, **facts):
    record(order_event(name, BROWSER, hour=hour, **facts), by=by)
    return Order.objects.filter(evidence=1).first()


def test_claimed_order_is_a_request_without_price_and_code(page):
    claimed = claim(
        "Order Completed", by=page, total="90.00", code="K7QM", products=[TICKET], currency="EUR"
    )

    assert (claimed.status, str(claimed.total), claimed.refunds) == ("requested", "0.00", [])
    assert claimed.lines[0]["unit_price"] is None
    assert "code" not in claimed.details
    assert claimed.requests == []
    assert_sound()


@pytest.mark.parametrize(
    ("name", "facts", "status"),
    [
        ("Order Amended", {"total": "5.00"}, "requested"),
        ("Order Updated", {"products": [TICKET], "total": "5.00"}, "requested"),
        ("Order Refunded", {"amount": "5.00"}, "requested"),
        ("Order Cancelled", {}, "cancelled"),
    ],
)
def test_claimed_change_of_a_claimed_order_states_no_price(page, name, facts, status):
    claim("Order Completed", by=page, products=[TICKET])
    claimed = claim(name, by=page, hour=1, **facts)

    assert (claimed.status, str(claimed.total), claimed.refunds) == (status, "0.00", [])
    assert_sound()


def test_claimed_change_without_an_order_is_a_request(page):
    assert claim("Order Amended", by=page, visit_date="2027-05-01").status == "requested"


def test_claimed_order_changes_no_order_with_its_number(page, shop):
    place(NOOR, by=shop, total="10.00")
    claim("Order Completed", by=page, hour=1, total="1.00")
    claim("Order Cancelled", by=page, hour=2)

    assert statuses() == {"1001": "placed"}
    assert str(Order.objects.get(evidence=2).total) == "10.00"
    assert not Review.objects.exists()
    assert_sound()


def test_staff_place_a_claimed_order_or_decline_it(page):
    claimed = claim("Order Completed", by=page, products=[TICKET])
    sender = internal_sources.signed_in_sender("staff console", "console")
    author = ChangeAuthor(sender, "staff:lin")
    target = order_actions.OrderTarget(claimed.customer_id, "1001", author, LATER)
    with transaction.atomic():
        order_requests.decline_request(target=target, reason="no room")
        assert Order.objects.get().status == "declined"
        assert_sound()
        transaction.set_rollback(True)

    order_requests.confirm_request(target=target)

    placed = Order.objects.get()
    assert (placed.status, placed.evidence, placed.lines[0]["quantity"]) == ("placed", 2, 2)
    assert_sound()
