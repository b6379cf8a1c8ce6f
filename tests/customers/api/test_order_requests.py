"""A customer's own token requests an order or a change; a source or staff confirm it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from channels.portal import order_files
from channels.store.gate_sentence import gate_sentence
from customers import rebuild
from customers.actions.ticket_codes import read_tickets
from customers.identity import lookup
from customers.models import Event
from customers.queries import lists
from customers.queries.visits import find_visit
from tests import factories

MINE = "/api/me/orders/"
LINES = [{"product": "season-pass", "name": "Season pass", "quantity": 50}]
TODAY = timezone.localdate


@pytest.fixture
def app(noor):
    return noor[1]


@pytest.fixture
def orders(noor) -> str:
    return f"/api/customers/{noor[0].id}/orders/"


@pytest.fixture
def placed(desk, orders) -> str:
    """An order of Noor's that the desk placed for today."""
    line = {"product": "day", "name": "Child's day", "quantity": 1, "unit_price": "20.00"}
    order = {"currency": "EUR", "visit_date": TODAY().isoformat(), "lines": [line]}
    return desk.post(orders, order).json()["number"]


def gate(customer, number=""):
    """Return the sentence of the gate about a card, or about the number on a ticket."""
    match = lookup.find_matches("email", "noor@example.com")[0]
    return gate_sentence(
        match, find_visit(customer.id, today=TODAY(), number=number), today=TODAY()
    ).line


def request_one(app, **fields):
    return app.post(MINE, {"visit_date": TODAY().isoformat(), "lines": LINES} | fields)


def test_order_of_a_customer_is_requested_and_permits_no_message(noor, app):
    answer = request_one(app)

    number = answer.json()["number"]
    order = app.get(f"{MINE}{number}/").json()
    assert (answer.status_code, answer.json()["status"]) == (201, "requested")
    assert (order["status"], order["is_verified"]) == ("requested", False)
    assert "no visit ahead" in gate(noor[0])
    assert "no visit ahead" in gate(noor[0], number)
    assert app.get("/api/me/").json()["next_visit"] is None
    shape = lists.order(noor[0].id, number, part=None)
    assert not read_tickets(customer_id=noor[0].id, number=number, now=timezone.now())
    assert not order_files.has_calendar_file(shape)


def test_requested_order_starts_no_automation_of_orders(app):
    request_one(app)

    assert not Event.objects.filter(name="Order Completed").exists()
    assert Event.objects.filter(name="Order Requested").count() == 1


@pytest.mark.parametrize("number", ["A-1001", "NOBODYS-1"])
def test_number_that_a_customer_chooses_is_refused_the_same_whether_it_exists(
    desk, eli, app, number
):
    desk.post(f"/api/customers/{eli[0].id}/orders/", {"lines": LINES, "number": "A-1001"})

    answer = request_one(app, number=number)

    body = answer.json()
    assert (answer.status_code, body["type"]) == (422, "urn:butler:problem:numbers-are-ours")
    assert number not in body["detail"]


@pytest.mark.parametrize("path", ["", "cancel/", "lines/1/cancel/", "history/"])
def test_order_of_another_customer_gets_the_response_of_a_missing_one(desk, eli, app, path):
    desk.post(f"/api/customers/{eli[0].id}/orders/", {"lines": LINES, "number": "A-1001"})

    def answer(number):
        url = f"{MINE}{number}/{path}"
        sent = (
            app.get(url)
            if path == "history/"
            else app.send("PATCH" if not path else "POST", url, {})
        )
        return sent.status_code, sent.content.replace(number.encode(), b"")

    assert answer("A-1001") == answer("A-1002")


def test_change_of_a_customer_leaves_the_order_as_it_is(noor, app, desk, orders, placed):
    before = desk.get(f"{orders}{placed}/").json()

    changed = app.patch(f"{MINE}{placed}/", {"lines": [{"id": "1", "quantity": 50}]})

    after = desk.get(f"{orders}{placed}/").json()
    requested_changes = after.pop("requested_changes")
    assert changed.status_code == 200
    assert [(change["event"], change["change"]) for change in requested_changes] == [
        ("Order Change Requested", {"lines": [{"line_id": "1", "quantity": 50}]})
    ]
    moving = {"version", "requested_changes", "requests"}
    assert {k: v for k, v in after.items() if k not in moving} == {
        k: v for k, v in before.items() if k not in moving
    }
    assert gate(noor[0]).endswith(f"today, order {placed}")


@pytest.mark.parametrize("path", ["cancel/", "lines/1/cancel/"])
def test_cancellation_of_a_customer_is_a_request_too(app, desk, orders, placed, path):
    answer = app.post(f"{MINE}{placed}/{path}", {})

    order = desk.get(f"{orders}{placed}/").json()
    assert answer.status_code == 200
    assert (order["status"], order["lines"][0]["status"]) == ("placed", "ordered")
    assert len(order["requested_changes"]) == 1


def test_confirmed_request_is_an_order_like_any_other(noor, app, desk, orders):
    number = request_one(app).json()["number"]

    answer = desk.post(f"{orders}{number}/confirm/")

    order = desk.get(f"{orders}{number}/").json()
    assert answer.status_code == 200
    assert (order["status"], order["is_verified"], len(order["lines"])) == ("placed", True, 1)
    assert gate(noor[0]).endswith(f"today, order {number}")
    assert lookup.find_matches("order", number)[0].id == noor[0].id


def test_staff_place_a_request_with_its_price(app, desk, orders):
    number = request_one(app).json()["number"]

    desk.patch(f"{orders}{number}/", {"lines": [{"id": "1", "unit_price": "90.00", "quantity": 2}]})

    order = desk.get(f"{orders}{number}/").json()
    assert (order["status"], order["total"], order["is_verified"]) == ("amended", "180.00", True)


def test_confirmed_changes_apply_in_the_order_of_their_requests(app, desk, orders, placed):
    app.patch(f"{MINE}{placed}/", {"lines": [{"id": "1", "quantity": 3}]})
    app.patch(f"{MINE}{placed}/", {"lines": [{"id": "1", "quantity": 2}], "note": "late"})

    answer = desk.post(f"{orders}{placed}/confirm/")

    order = desk.get(f"{orders}{placed}/").json()
    assert answer.status_code == 200
    assert (order["status"], order["lines"][0]["quantity"]) == ("amended", 2)
    assert (order["total"], order["requested_changes"]) == ("40.00", [])
    assert desk.post(f"{orders}{placed}/confirm/").status_code == 409


def test_declined_request_leaves_the_order_unchanged(noor, app, desk, orders, placed):
    number = request_one(app).json()["number"]
    app.post(f"{MINE}{placed}/cancel/", {"reason": "ill"})

    answers = [
        desk.post(f"{orders}{order_number}/decline/", {"reason": "full"}).status_code
        for order_number in (number, placed)
    ]

    requested, untouched = (
        desk.get(f"{orders}{order_number}/").json() for order_number in (number, placed)
    )
    assert answers == [200, 200]
    assert (requested["status"], requested["is_verified"]) == ("declined", False)
    assert (untouched["status"], untouched["requested_changes"]) == ("placed", [])
    assert app.patch(f"{MINE}{number}/", {"note": "please"}).status_code == 409
    for ids in rebuild.live_ids():
        assert rebuild.find_differences(ids) == []


def test_request_cancelled_by_staff_becomes_no_order(app, desk, orders):
    number = request_one(app).json()["number"]

    desk.post(f"{orders}{number}/cancel/", {})

    assert desk.get(f"{orders}{number}/").json()["status"] == "declined"
    assert not Event.objects.filter(name="Order Completed").exists()


def test_customer_changes_and_withdraws_her_own_request(app):
    number = request_one(app).json()["number"]

    app.patch(f"{MINE}{number}/", {"lines": [{"id": "1", "quantity": 2}]})
    changed = app.get(f"{MINE}{number}/").json()
    app.post(f"{MINE}{number}/cancel/", {})

    assert (changed["status"], changed["lines"][0]["quantity"]) == ("requested", 2)
    assert app.get(f"{MINE}{number}/").json()["status"] == "cancelled"


@pytest.mark.parametrize("path", ["confirm", "decline"])
def test_customer_cannot_confirm_or_decline_a_request(noor, app, orders, path):
    number = request_one(app).json()["number"]

    answers = [app.post(f"{start}{number}/{path}/", {}) for start in (MINE, orders)]

    assert all(answer.status_code in (403, 404, 405) for answer in answers)
    assert app.get(f"{MINE}{number}/").json()["status"] == "requested"


@pytest.mark.parametrize("name", ["Order Completed", "Order Updated", "Order Amended"])
def test_claim_of_a_browser_confirms_no_request(noor, app, name):
    number = request_one(app).json()["number"]
    factories.record(
        factories.incoming_event(("email", "noor@example.com"), ("anonymous_id", "hers"))
    )
    claim = factories.order(
        number,
        ("anonymous_id", "hers"),
        ("order", number),
        name=name,
        at=timezone.now() + timedelta(seconds=1),
        visit_date=TODAY().isoformat(),
    )
    factories.record(claim, by=factories.sender(trusted=False))

    assert app.get(f"{MINE}{number}/").json()["status"] == "requested"
    assert "no visit ahead" in gate(noor[0])


def test_claim_of_a_browser_does_not_compete_with_a_request_at_the_gate(noor, app):
    number = request_one(app).json()["number"]
    page = factories.sender(trusted=False)

    claim = factories.order(number, ("email", "sam@example.com"), ("order", number))
    factories.record(claim, by=page)

    assert [match.id for match in lookup.find_matches("order", number)] == [noor[0].id]


def test_requests_about_one_order_are_bounded_until_staff_answer_them(app, desk, orders, placed):
    path = f"{MINE}{placed}/"
    for number in range(20):
        assert app.patch(path, {"note": f"request {number}"}).status_code == 200

    refused = app.patch(path, {"note": "one more"})
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (
        409,
        "too-many-requests-pending",
    )
    assert desk.post(f"{orders}{placed}/decline/", {}).status_code == 200
    assert app.patch(path, {"note": "one more"}).status_code == 200


def test_large_request_is_refused(app, placed):
    refused = app.patch(f"{MINE}{placed}/", {"party": [{"x": "y" * 17_000}]})

    assert refused.status_code == 422
    assert "16384" in refused.json()["detail"]


PRICES = [
    *({name: "0.01"} for name in ("unitPrice", "item_price", "price", "total", "subtotal")),
    *(
        {f"{name}{suffix}": 1}
        for name in ("unit_price", "price")
        for suffix in ("_cents", "_minor")
    ),
    {"qty": -3},
    {"quantity": -3, "status": "cancelled", "refunded_quantity": 1},
]


@pytest.mark.parametrize("details", PRICES, ids=str)
def test_details_of_a_requested_line_set_no_price_and_no_other_field(app, desk, placed, details):
    assert app.patch(
        f"{MINE}{placed}/", {"lines": [{"id": "1", "details": details}]}
    ).status_code in (200, 422)
    for request in app.get(f"{MINE}{placed}/").json()["requests"]:
        desk.post(f"/api/orders/requests/{request['id']}/confirm/")

    order = app.get(f"{MINE}{placed}/").json()
    [line] = order["lines"]
    assert (order["total"], line["unit_price"], line["quantity"]) == ("20.00", "20.00", 1)
    assert line["status"] == "ordered"


@pytest.mark.parametrize("lines", [dict, list, json.dumps], ids=["map", "list", "text"])
def test_change_that_a_source_passes_on_for_a_customer_sets_no_price(app, desk, placed, lines):
    line = {"line_id": "1", "unitPrice": "0.01", "quantity": 2}
    stated = {"a": line} if lines is dict else lines([line])
    event = {
        "event": "Order Change Requested",
        "messageId": "passed-on",
        "context": {"traits": {"email": "noor@example.com"}},
        "properties": {"order_id": placed, "products": stated, "total": "0.01", "code": "FREE"},
    }
    assert desk.post("/v1/track", event).status_code == 200
    [request] = app.get(f"{MINE}{placed}/").json()["requests"]
    desk.post(f"/api/orders/requests/{request['id']}/confirm/")

    order = app.get(f"{MINE}{placed}/").json()
    assert (order["total"], order["lines"][0]["unit_price"]) == ("40.00", "20.00")
    assert "code" not in order["details"]
