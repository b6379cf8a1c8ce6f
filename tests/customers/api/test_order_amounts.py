"""Amounts and times of day of orders in the REST API."""

import pytest

ORDER = {"currency": "EUR", "lines": [{"product": "day", "quantity": 2, "unit_price": "39.50"}]}


@pytest.fixture
def orders(noor) -> str:
    return f"/api/customers/{noor[0].id}/orders/"


@pytest.mark.parametrize(
    ("stated", "visit_time"),
    [("10:00", "10:00:00"), ("9:30", "09:30:00"), ("10.30", "10:30:00"), ("10:30:15", "10:30:15")],
)
def test_time_of_visit_has_the_same_spellings_as_in_events(desk, orders, stated, visit_time):
    number = desk.post(orders, ORDER | {"visit_time": stated}).json()["number"]

    assert desk.get(f"{orders}{number}/").json()["visit_time"] == visit_time


@pytest.mark.parametrize("stated", ["24:00", "noon", "10:60", "10"])
def test_unreadable_time_of_visit_is_refused(desk, orders, stated):
    assert desk.post(orders, ORDER | {"visit_time": stated}).status_code == 422


@pytest.mark.parametrize(
    ("currency", "price", "total"),
    [("JPY", "1200", "2400"), ("JPY", "1200.00", "2400"), ("KWD", "1.250", "2.500")],
)
def test_amounts_have_the_decimal_places_of_their_currency(desk, orders, currency, price, total):
    lines = [{"product": "day", "quantity": 2, "unit_price": price}]
    number = desk.post(orders, {"currency": currency, "lines": lines}).json()["number"]

    order = desk.get(f"{orders}{number}/").json()

    assert (order["total"], order["is_total_of_lines"]) == (total, True)


@pytest.mark.parametrize(
    ("currency", "price"), [("JPY", "12.50"), ("EUR", "1.255"), ("KWD", "1.2555")]
)
def test_amount_with_too_many_decimals_is_refused(desk, orders, currency, price):
    lines = [{"product": "day", "unit_price": price}]

    placed = desk.post(orders, {"currency": currency, "lines": lines})

    assert (placed.status_code, placed.json()["type"].rpartition(":")[2]) == (
        422,
        "too-many-decimals",
    )
    number = desk.post(
        orders, ORDER | {"currency": currency, "lines": [{"product": "day"}]}
    ).json()["number"]
    amended = desk.patch(f"{orders}{number}/", {"total": price})
    assert amended.status_code == 422
