"""An order is called as its source called it, and an address must lead to it."""

from urllib.parse import quote

import httpx2
import pytest
from django.urls import reverse

from customers.actions.sources import create_source
from tests import factories


@pytest.mark.parametrize(
    "number",
    ["A/1", "2027/04/LK-1", "/A", "A//1", "A 1", "A%2F1", "A?b#c", "Ä&+;=1", "lines/1", "x" * 90],
)
def test_order_with_any_number_has_a_working_address(desk, noor, number):
    lines = [{"line_id": "a/b", "name": "Day ticket", "quantity": 2, "price": "10"}]
    factories.record(factories.order(number, ("email", "noor@example.com"), lines=lines))
    path = f"/api/customers/{noor[0].id}/orders/{quote(number, safe='')}/"

    assert desk.get(path).json()["number"] == number
    assert desk.patch(path, {"note": "by the window"}).status_code == 200
    names = {event["name"] for event in desk.get(f"{path}history/").json()["results"]}
    assert names == {"Order Completed", "Order Amended"}
    assert desk.post(f"{path}lines/a%2Fb/cancel/", {"quantity": 1}).status_code == 200
    assert desk.get(path).json()["lines"][0]["quantity"] == 1
    assert desk.post(f"{path}cancel/", {"reason": "rain"}).status_code == 200
    assert desk.get(path).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    "number",
    [
        "A/cancel",
        "A/history",
        "A/lines/a/cancel",
        "cancel",
        "/",
        "..",
        "~",
        "~2F",
        "~7E2F",
        "A~1/b",
    ],
)
def test_order_number_that_ends_like_a_route_is_an_order(desk, noor, number):
    lines = [{"line_id": "a/cancel", "name": "Day ticket", "quantity": 2, "price": "10"}]
    for order_number in ("A", number):
        factories.record(factories.order(order_number, ("email", "noor@example.com"), lines=lines))
    of_noor = {"customer_id": noor[0].id}
    path = reverse("customer:order", kwargs=of_noor | {"number": number})
    line = {"number": number, "line": "a/cancel"}

    assert desk.get(path).json()["number"] == number
    assert desk.patch(path, {"note": "by the window"}).status_code == 200
    history = desk.get(reverse("customer:order-history", kwargs=of_noor | {"number": number}))
    assert {event["about"] for event in history.json()["results"]} == {f"order:{number}"}
    out = desk.post(reverse("customer:order-line-cancel", kwargs=of_noor | line), {"quantity": 1})
    assert out.status_code == 200
    cancel = reverse("customer:order-cancel", kwargs=of_noor | {"number": number})
    assert desk.post(cancel, {"reason": "rain"}).status_code == 200
    assert desk.get(path).json()["status"] == "cancelled"
    other = desk.get(reverse("customer:order", kwargs=of_noor | {"number": "A"})).json()
    assert other["status"] == "placed"


@pytest.mark.slow
def test_real_server_routes_every_order_number(running):
    noor = factories.customer(("email", "noor@example.com"))
    _, key = create_source(name="desk", channel="phone", is_secret=True, scopes=("read",))
    numbers = ["2027/04/LK-1", "A//1", "/A", "A?b#c"]
    for number in numbers:
        factories.record(factories.order(number, ("email", "noor@example.com"), lines=[]))

    orders = [
        httpx2.get(
            f"{running.web}/api/customers/{noor.id}/orders/{quote(number, safe='')}/",
            headers={"Authorization": f"Bearer {key}"},
        ).json()
        for number in numbers
    ]

    assert [order.get("number") for order in orders] == numbers


def test_number_of_two_sources_is_listed_once(desk, noor):
    for sender in (factories.sender(), factories.sender()):
        order = factories.order("1001", ("email", "noor@example.com"), ("order", "1001"))
        factories.record(order, by=sender)

    record = desk.get(f"/api/customers/{noor[0].id}/").json()

    numbers = [identifier for identifier in record["identifiers"] if identifier["kind"] == "order"]
    assert [(number["value"], number["is_verified"]) for number in numbers] == [("1001", True)]
