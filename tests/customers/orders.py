"""Helpers for tests of orders with the number 1001."""

import itertools
from datetime import timedelta

from customers import rebuild
from customers.identity.rebuilding import check_records
from customers.models import Identifier, Order
from tests.factories import NOON, order, record

NOOR, SAM, LIN = (("email", f"{name}@example.com") for name in ("noor", "sam", "lin"))
NUMBER = ("order", "1001")
LATER = NOON + timedelta(days=2)
TICKET = {"line_id": "a", "product_id": "ticket", "quantity": 2, "unit_price": "10.00"}
DINNER = {"line_id": "b", "product_id": "dinner", "quantity": 1, "unit_price": "20.00"}


def order_event(name, *identifiers, hour=0, **facts):
    return order("1001", *identifiers, NUMBER, name=name, at=NOON + timedelta(hours=hour), **facts)


def place(person, *, by, hour=0, **facts):
    record(order_event("Order Completed", person, hour=hour, **facts), by=by, at=LATER)


def owner_of(address):
    return Identifier.objects.get(kind="email", value=address[1]).customer_id


def statuses(address=NOOR):
    """Return the status of each order of a customer, by the number that the order shows."""
    rows = Order.objects.filter(customer_id=owner_of(address))
    return dict(rows.values_list("number", "status"))


def assert_sound():
    assert all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())
    ids = list(itertools.chain(*rebuild.live_ids()))
    assert check_records(ids, now=LATER)[:4] == ([], [], 0, 0)
