"""Scans of tickets whose orders show a year or a place with their number."""

from datetime import timedelta

import pytest

from customers.models import Event
from customers.values.order_numbers import sent_number
from tests import factories
from tests.channels.store.gates import NOON, code_of, gate, holder, place, scan

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
HOUR = timedelta(hours=1)


def yearly(by):
    """An order of a source whose numbers start again each year."""
    place("1001", by=by)
    return f"1001·{NOON.year}"


def second_of_a_number(by):
    """The second order of one source with one number, for another customer."""
    place("1001", of="els", by=by, at=NOON - HOUR)
    place("1001", by=by)
    return "1001·2"


@pytest.mark.parametrize(("order", "numbers"), [(yearly, "yearly"), (second_of_a_number, "")])
def test_scan_is_on_the_order_whose_number_shows_a_year_or_a_place(client, order, numbers):
    _, key = gate()
    shop = factories.sender(factories.source(order_numbers=numbers))
    number = order(shop)

    answer = scan(client, key, code_of(number)).json

    assert (answer["state"], answer["order"]["number"]) == ("good", number)
    scanned = Event.objects.get(name="Ticket Scanned")
    assert (scanned.customer_id, scanned.about) == (
        holder(number),
        f"order:{sent_number(number)}",
    )
