"""An order is called as its source called it, and an address must lead to it."""

from urllib.parse import quote

import httpx2
import pytest

from customers.actions.sources import create_source
from tests import factories


@pytest.mark.parametrize(
    "number",
    ["A/1", "2027/04/LK-1", "/A", "A//1", "A 1", "A%2F1", "A?b#c", "Ä&+;=1", "lines/1", "x" * 90],
)
def test_whatever_an_order_is_called_it_can_be_reached(desk, noor, number):
    lines = [{"line_id": "a/b", "name": "Day ticket", "quantity": 2, "price": "10"}]
    factories.record(factories.order(number, ("email", "noor@example.com"), lines=lines))
    path = f"/api/customers/{noor[0].id}/orders/{quote(number, safe='')}/"

    assert desk.get(path).json()["number"] == number
    assert desk.patch(path, {"note": "by the window"}).status_code == 200
    names = {one["name"] for one in desk.get(f"{path}history/").json()["results"]}
    assert names == {"Order Completed", "Order Amended"}
    assert desk.post(f"{path}lines/a%2Fb/cancel/", {"quantity": 1}).status_code == 200
    assert desk.get(path).json()["lines"][0]["quantity"] == 1
    assert desk.post(f"{path}cancel/", {"reason": "rain"}).status_code == 200
    assert desk.get(path).json()["status"] == "cancelled"


@pytest.mark.slow
def test_a_real_server_leads_there_too(running):
    noor = factories.customer(("email", "noor@example.com"))
    _, key = create_source(name="desk", channel="phone", is_secret=True, scopes=("read",))
    numbers = ["2027/04/LK-1", "A//1", "/A", "A?b#c"]
    for number in numbers:
        factories.record(factories.order(number, ("email", "noor@example.com"), lines=[]))

    found = [
        httpx2.get(
            f"{running.web}/api/customers/{noor.id}/orders/{quote(number, safe='')}/",
            headers={"Authorization": f"Bearer {key}"},
        ).json()
        for number in numbers
    ]

    assert [one.get("number") for one in found] == numbers
