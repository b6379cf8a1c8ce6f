from datetime import date
from decimal import Decimal

import pytest

from examples.themepark.catalogue import PartyGuest, lines, price, read_data, season

NOVEMBER = date(2026, 11, 28)
PARTY = [PartyGuest(38), PartyGuest(40), PartyGuest(8), PartyGuest(68), PartyGuest(2)]


@pytest.mark.parametrize(
    ("age", "fare"),
    [
        (0, "toddler"),
        (3, "toddler"),
        (4, "child"),
        (11, "child"),
        (12, "adult"),
        (64, "adult"),
        (65, "senior"),
    ],
)
def test_fare_depends_on_age(age, fare):
    assert PartyGuest(age).fare == fare


@pytest.mark.parametrize(
    ("day", "name"),
    [
        pytest.param(date(2026, 1, 1), "quiet", id="new-years-day"),
        pytest.param(date(2026, 6, 30), "regular", id="last-day-of-spring"),
        pytest.param(date(2026, 7, 1), "summer", id="first-day-of-summer"),
        pytest.param(date(2026, 10, 10), "lantern", id="lanterns-are-lit"),
        pytest.param(date(2026, 12, 31), "lantern", id="new-years-eve"),
    ],
)
def test_every_day_has_a_season(day, name):
    assert season(day) == name


def test_price_follows_the_season_of_the_visit():
    assert price("day-adult", NOVEMBER) == Decimal("34.50")
    assert price("day-adult", date(2026, 7, 4)) == Decimal("44.50")


def test_package_has_lines_for_the_guests_of_the_party():
    quantities = {
        line.product: line.quantity for line in lines("lantern-night", party=PARTY, day=NOVEMBER)
    }

    assert quantities == {
        "day-adult": 2,
        "day-child": 1,
        "day-senior": 1,
        "day-toddler": 1,
        "room-lighthouse": 1,
        "dinner-adult": 2,
        "dinner-child": 1,
        "breakfast": 4,
    }


def test_two_nights_have_two_breakfasts_for_each_guest():
    line_by_product = {
        line.product: line for line in lines("orchard-weekend", party=PARTY, day=NOVEMBER)
    }

    assert line_by_product["room-treehouse"].quantity == 2
    assert line_by_product["breakfast"].quantity == 8
    assert line_by_product["breakfast"].total == Decimal("116.00")


@pytest.mark.parametrize("key", list(read_data("catalogue")["packages"]))
def test_every_package_has_a_price_in_every_month(key):
    for month in range(1, 13):
        for line in lines(key, party=PARTY, day=date(2026, month, 15)):
            assert line.unit_price == line.unit_price.quantize(Decimal("0.01"))
            assert line.quantity > 0
