"""A source whose order numbers start again each year: Butler adds the year."""

from datetime import timedelta

import pytest

from customers.actions import orders as order_actions
from customers.actions.changes import ChangeAuthor
from customers.models import Event, Identifier, Source, Space
from tests import factories
from tests.customers.orders import (
    LATER,
    NOOR,
    NUMBER,
    SAM,
    assert_sound,
    owner_of,
    statuses,
)
from tests.factories import NOON, identify, order, record

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)


@pytest.fixture
def yearly():
    source = factories.source(order_numbers=Source.OrderNumbers.YEARLY)
    return factories.sender(source)


def of_year(year, name="Order Completed", *people):
    at = NOON.replace(year=year) + timedelta(hours=name != "Order Completed")
    return order("1001", *people, NUMBER, name=name, at=at)


def test_yearly_numbers_of_two_years_are_two_orders(yearly):
    record(
        of_year(2025, "Order Completed", NOOR), of_year(2026, "Order Completed", NOOR), by=yearly
    )

    assert statuses() == {"1001·2025": "placed", "1001·2026": "placed"}
    assert Identifier.objects.filter(kind="order", is_shared=False).count() == 2
    assert_sound()


def test_change_means_the_yearly_order_of_its_year(yearly):
    record(of_year(2025, "Order Completed", NOOR), of_year(2026, "Order Completed", SAM), by=yearly)
    record(of_year(2026, "Order Cancelled"), by=yearly)

    assert statuses(NOOR) | statuses(SAM) == {"1001·2025": "placed", "1001·2026": "cancelled"}
    assert_sound()


def test_change_in_the_next_year_means_the_last_order_before(yearly):
    record(of_year(2025, "Order Completed", NOOR), by=yearly)
    record(of_year(2026, "Order Refunded"), by=yearly)

    assert statuses() == {"1001·2025": "refunded"}
    assert_sound()


def test_gate_with_yearly_numbers_means_the_order_of_the_shop_in_its_space(yearly):
    gate = factories.sender(
        factories.source(channel="till", order_numbers=Source.OrderNumbers.YEARLY)
    )
    record(of_year(2025, "Order Completed", NOOR), by=yearly)
    record(of_year(2026, "Order Cancelled"), by=gate)

    assert statuses() == {"1001·2025": "cancelled"}
    assert_sound()


def test_yearly_order_of_another_space_is_not_meant(yearly):
    elsewhere = factories.source(
        order_numbers=Source.OrderNumbers.YEARLY, space=Space.objects.create(name="elsewhere")
    )
    record(of_year(2025, "Order Completed", NOOR), by=yearly)
    stranger = factories.sender(elsewhere, space_id=elsewhere.space_id)
    record(of_year(2026, "Order Cancelled"), by=stranger)

    assert statuses() == {"1001·2025": "placed"}


def test_year_is_that_of_the_companys_time_zone(yearly, settings):
    settings.TIME_ZONE = "Europe/Amsterdam"
    at = NOON.replace(year=2026, month=12, day=31, hour=23, minute=30)
    record(order("1001", NOOR, NUMBER, at=at), by=yearly, at=at + timedelta(hours=1))

    assert [*statuses()] == ["1001·2027"]


def test_order_placed_by_the_api_of_a_yearly_source_has_the_year(yearly):
    record(identify(NOOR), by=yearly)
    placement = order_actions.place_order(
        customer_id=owner_of(NOOR), author=ChangeAuthor(yearly), number="7", order={}, now=LATER
    )

    assert placement.number == f"7·{LATER.year}"
    assert [*statuses()] == [placement.number]
    assert Event.objects.filter(about=f"order:{placement.number}").exists()
