from datetime import date
from decimal import Decimal

import pytest

from examples.themepark.catalogue import Guest, data, lines, price, season

NOVEMBER = date(2026, 11, 28)
PARTY = [Guest(38), Guest(40), Guest(8), Guest(68), Guest(2)]


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
def test_a_fare_depends_on_age(age, fare):
    assert Guest(age).fare == fare


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


def test_a_price_follows_the_day_of_the_visit():
    assert price("day-adult", NOVEMBER) == Decimal("34.50")
    assert price("day-adult", date(2026, 7, 4)) == Decimal("44.50")


def test_an_arrangement_has_a_line_for_whom_it_is_for():
    found = {
        line.product: line.quantity for line in lines("lantern-night", party=PARTY, day=NOVEMBER)
    }

    assert found == {
        "day-adult": 2,
        "day-child": 1,
        "day-senior": 1,
        "day-toddler": 1,
        "room-lighthouse": 1,
        "dinner-adult": 2,
        "dinner-child": 1,
        "breakfast": 4,
    }


def test_a_stay_of_two_nights_has_two_breakfasts_each():
    found = {line.product: line for line in lines("orchard-weekend", party=PARTY, day=NOVEMBER)}

    assert found["room-treehouse"].quantity == 2
    assert found["breakfast"].quantity == 8
    assert found["breakfast"].total == Decimal("116.00")


@pytest.mark.parametrize("key", list(data("catalogue")["arrangements"]))
def test_every_arrangement_is_made_of_products_with_a_price_all_year(key):
    for month in range(1, 13):
        for line in lines(key, party=PARTY, day=date(2026, month, 15)):
            assert line.unit_price == line.unit_price.quantize(Decimal("0.01"))
            assert line.quantity > 0
