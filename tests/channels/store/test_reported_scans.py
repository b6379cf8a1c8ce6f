"""Tickets at the gate, as public reports of check-in systems describe them."""

import pytest

from tests.channels.store.gates import NOON, code_of, gate, noor, place, scan
from tests.channels.store.test_tickets import HOUR

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def change(name, hours):
    place(name=name, at=NOON + hours * HOUR, of="noor")


def test_cancelled_order_shows_no_new_code_that_opens_the_gate(client):
    """pretix/pretix#2467: a cancellation made a new code, which scanners accepted."""
    _, key = gate()
    noor()
    place()
    code = code_of()
    change("Order Cancelled", 1)

    assert scan(client, key, code).json["state"] == "cancelled"
    with pytest.raises(StopIteration):
        code_of()


def test_code_of_an_order_that_is_placed_again_opens_the_gate(client):
    """pretix/pretix#1601: an order is reactivated after its cancellation."""
    _, key = gate()
    noor()
    place()
    code = code_of()
    change("Order Cancelled", 1)
    change("Order Completed", 2)

    assert scan(client, key, code).json["state"] == "good"
    assert code_of() == code
