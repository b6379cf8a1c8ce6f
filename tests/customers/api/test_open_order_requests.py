"""Each request about an order has an id, a state and at most one answer."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from customers import rebuild
from customers.actions import order_requests, order_rules
from customers.actions.order_rules import OrderRule, OrderRules
from customers.models import Order
from tests import factories
from tests.customers.api.conftest import Caller, key

MINE = "/api/me/orders/"
REQUESTS = "/api/orders/requests/"
LINES = [{"product": "day", "quantity": 2, "unit_price": "20.00"}]
pytestmark = pytest.mark.django_db


@pytest.fixture
def app(noor):
    return noor[1]


@pytest.fixture
def shop():
    """The shop, which owns its space and places the order."""
    return key(channel="site", name="shop")


@pytest.fixture
def placed(noor, shop) -> str:
    """An order of Noor's that the shop placed, with a visit in thirty days."""
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    body = {"currency": "EUR", "visit_date": day, "visit_time": "10:00:00", "lines": LINES}
    return shop.post(f"/api/customers/{noor[0].id}/orders/", body).json()["number"]


@pytest.fixture
def rules():
    """Return a function that puts rules in force for this test."""
    before = order_rules.current_rules()

    def put(**names):
        named = {name: OrderRule(**limits) for name, limits in names.items()}
        order_rules.set_rules(OrderRules(rules=named))

    yield put
    order_rules.set_rules(before)


def ask(app, number, **change):
    """Request a change; return the id of the request."""
    answer = app.patch(f"{MINE}{number}/", change or {"note": "We come late"})
    assert answer.status_code == 200, answer.content
    return app.get(f"{MINE}{number}/").json()["requests"][-1]["id"]


def request_of(app, number, request_id):
    requests = app.get(f"{MINE}{number}/").json()["requests"]
    return next(request for request in requests if request["id"] == request_id)


def answer(caller, request_id, verb="confirm", **body):
    return caller.post(f"{REQUESTS}{request_id}/{verb}/", body)


def assert_sound():
    assert all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())


def test_confirmed_request_changes_the_order_and_leaves_the_other_request_open(app, shop, placed):
    note, day = ask(app, placed), ask(app, placed, visit_date="2027-05-01")

    assert answer(shop, day).status_code == 200

    order = app.get(f"{MINE}{placed}/").json()
    assert (order["visit_date"], order["details"].get("note")) == ("2027-05-01", None)
    assert request_of(app, placed, day)["state"] == "confirmed"
    again = request_of(app, placed, note)
    assert (again["state"], again["reason"]) == ("asked", "order-changed")
    assert_sound()


def test_declined_request_tells_the_customer_why(app, shop, placed):
    request_id = ask(app, placed)

    assert answer(shop, request_id, "decline", reason="The day is full").status_code == 200

    request = request_of(app, placed, request_id)
    assert (request["state"], request["reason"]) == ("declined", "The day is full")
    assert request["decided_by"] == "source:shop"
    assert_sound()


def test_same_answer_twice_is_one_answer(app, shop, placed):
    request_id = ask(app, placed)

    statuses = [answer(shop, request_id).status_code for _ in range(2)]

    changes = app.get(f"{MINE}{placed}/history/").json()["results"]
    assert statuses == [200, 200]
    assert sum(event["name"] == "Order Request Confirmed" for event in changes) == 1


def test_second_colleague_reads_who_answered_before(app, shop, placed, make_staff):
    request_id = ask(app, placed)
    lin, kim = (make_staff("view_customer", "change_order", name=name) for name in ("lin", "kim"))
    answer(lin, request_id)

    refused = answer(kim, request_id, "decline", reason="no")

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("already-answered")
    assert "confirmed by staff:lin" in refused.json()["detail"]
    assert request_of(app, placed, request_id)["state"] == "confirmed"


def test_request_for_an_order_is_answered_by_its_id(app, shop):
    number = app.post(MINE, {"lines": [{"product": "day"}]}).json()["number"]
    request_id = app.get(f"{MINE}{number}/").json()["requests"][0]["id"]

    assert answer(shop, request_id).status_code == 200

    order = app.get(f"{MINE}{number}/").json()
    assert (order["status"], order["is_verified"]) == ("placed", True)
    assert order["requests"][0]["state"] == "confirmed"
    assert answer(shop, request_id).status_code == 200
    assert_sound()


def test_cancelled_order_declines_the_requests_about_it(app, shop, noor, placed):
    request_id = ask(app, placed)

    shop.post(f"/api/customers/{noor[0].id}/orders/{placed}/cancel/", {})

    request = request_of(app, placed, request_id)
    assert (request["state"], request["reason"]) == ("declined", "order-closed")
    assert answer(shop, request_id).status_code == 409


def test_cancellation_by_the_shop_confirms_the_requested_cancellation(app, shop, noor, placed):
    app.post(f"{MINE}{placed}/cancel/", {})
    shop.post(f"/api/customers/{noor[0].id}/orders/{placed}/cancel/", {"reason": "as asked"})

    [request] = app.get(f"{MINE}{placed}/").json()["requests"]
    assert request["state"] == "confirmed"


def test_request_about_a_line_that_is_gone_is_declined(app, shop, noor, placed):
    app.post(f"{MINE}{placed}/lines/1/cancel/", {"quantity": 1})
    shop.post(f"/api/customers/{noor[0].id}/orders/{placed}/lines/1/cancel/", {})

    [request] = app.get(f"{MINE}{placed}/").json()["requests"]
    assert (request["state"], request["reason"]) == ("declined", "line-gone")


def test_source_of_another_space_gets_the_answer_of_a_missing_request(app, placed):
    request_id = ask(app, placed)
    stranger = key(channel="site", name="stranger")
    move_to_own_space("stranger")

    for verb in ("confirm", "decline"):
        refused, missing = answer(stranger, request_id, verb), answer(stranger, uuid.uuid4(), verb)
        assert (refused.status_code, refused.content) == (404, missing.content)
    assert stranger.get(REQUESTS).json()["results"] == []
    assert request_of(app, placed, request_id)["state"] == "asked"


def move_to_own_space(name):
    from customers.models import Source, Space

    space = Space.objects.create(name=f"space of {name}")
    Source.objects.filter(name=name).update(space=space)


def test_till_of_the_space_owns_no_orders_and_answers_nothing(app, placed):
    request_id = ask(app, placed)

    assert answer(key(channel="till", name="till"), request_id).status_code == 404


def test_owner_of_the_space_answers_for_the_source_that_placed_the_order(app, placed):
    request_id = ask(app, placed)

    assert answer(key(channel="server", name="back office"), request_id).status_code == 200
    assert request_of(app, placed, request_id)["state"] == "confirmed"


@pytest.mark.parametrize("verb", ["confirm", "decline"])
def test_customer_answers_no_request_and_learns_of_none(app, eli, placed, verb):
    request_id = ask(app, placed)

    for caller in (app, eli[1]):
        refused, missing = answer(caller, request_id, verb), answer(caller, uuid.uuid4(), verb)
        assert (refused.status_code, refused.content) == (404, missing.content)
    assert app.get(REQUESTS).status_code == 404
    assert request_of(app, placed, request_id)["state"] == "asked"


def test_colleague_without_the_right_answers_no_request(app, placed, make_staff):
    request_id = ask(app, placed)

    assert answer(make_staff("view_customer"), request_id).status_code == 403


def test_open_requests_are_listed_until_they_are_answered(app, shop, placed):
    request_id = ask(app, placed)
    [listed] = shop.get(REQUESTS).json()["results"]
    answer(shop, request_id)

    assert (listed["id"], listed["number"]) == (request_id, placed)
    assert listed["change"] == {"note": "We come late"}
    assert shop.get(REQUESTS).json()["results"] == []


def wire(secret: Caller, number, request_id, name="Order Request Confirmed", **properties):
    """Send the answer as an event, as a shop does; it names the customer."""
    return secret.post(
        "/v1/track",
        {
            "event": name,
            "messageId": str(uuid.uuid4()),
            "context": {"traits": {"email": "noor@example.com"}},
            "properties": {"order_id": number, "request_id": request_id, **properties},
        },
    )


def test_source_confirms_by_event(app, shop, placed):
    request_id = ask(app, placed, visit_date="2027-05-01")

    wire(shop, placed, request_id)

    order = app.get(f"{MINE}{placed}/").json()
    assert (order["visit_date"], order["requests"][0]["state"]) == ("2027-05-01", "confirmed")
    assert_sound()


def test_source_declines_by_event(app, shop, placed):
    request_id = ask(app, placed)

    wire(shop, placed, request_id, "Order Request Declined", reason="full")

    request = request_of(app, placed, request_id)
    assert (request["state"], request["reason"]) == ("declined", "full")


@pytest.mark.parametrize("name", ["Order Request Confirmed", "Order Request Expired"])
def test_event_with_a_publishable_key_answers_nothing(app, placed, name):
    from customers.actions.sources import create_source

    request_id = ask(app, placed, visit_date="2027-05-01")
    _, text = create_source(name="page", channel="site", is_secret=False, scopes=("ingest",))

    wire(Caller(Authorization=f"Bearer {text}"), placed, request_id, name)

    assert request_of(app, placed, request_id)["state"] == "asked"


def test_event_of_a_source_in_another_space_answers_nothing(app, placed):
    request_id = ask(app, placed)
    stranger = key(channel="site", name="stranger")
    move_to_own_space("stranger")

    wire(stranger, placed, request_id)

    assert request_of(app, placed, request_id)["state"] == "asked"


def test_expiry_event_of_a_source_has_no_effect(app, shop, placed):
    request_id = ask(app, placed)

    wire(shop, placed, request_id, "Order Request Expired")

    assert request_of(app, placed, request_id)["state"] == "asked"


def test_price_in_a_request_of_an_app_server_is_ignored(app, noor):
    event = factories.order(
        "R-1",
        ("email", "noor@example.com"),
        name="Order Requested",
        total="1.00",
        code="FREE",
        products=[{"product_id": "day", "price": "1.00", "quantity": 2}],
    )
    factories.record(event)

    order = app.get(f"{MINE}R-1/").json()
    assert (order["total"], order["lines"][0]["unit_price"]) == ("0.00", None)
    assert "code" not in order["details"]


def test_requested_order_never_has_the_number_of_a_placed_one(app, placed):
    event = factories.order(placed, ("email", "noor@example.com"), name="Order Requested")
    factories.record(event, at=timezone.now() + timedelta(minutes=1))

    assert app.get(f"{MINE}{placed}/").json()["status"] == "placed"


def test_request_expires_after_the_configured_time(app, placed):
    request_id = ask(app, placed)
    number = app.post(MINE, {"lines": [{"product": "day"}]}).json()["number"]
    soon, late = timezone.now() + timedelta(hours=71), timezone.now() + timedelta(hours=73)

    assert order_requests.expire_requests(now=soon, limit=10) == 0
    assert order_requests.expire_requests(now=late, limit=10) == 2
    assert order_requests.expire_requests(now=late, limit=10) == 0

    assert request_of(app, placed, request_id)["state"] == "expired"
    assert app.get(f"{MINE}{placed}/").json()["status"] == "placed"
    assert app.get(f"{MINE}{number}/").json()["status"] == "expired"
    assert not Order.objects.filter(asked_at__isnull=False).exists()
    assert_sound()


def test_rule_grants_a_new_time_at_once(app, placed, rules):
    rules(visit_time={"hours_before": 2})

    request_id = ask(app, placed, visit_time="14:00:00")

    order = app.get(f"{MINE}{placed}/").json()
    assert order["visit_time"] == "14:00:00"
    request = request_of(app, placed, request_id)
    assert (request["state"], request["decided_by"]) == ("confirmed", "rule")
    assert_sound()


def test_rule_grants_no_change_that_it_does_not_name(app, placed, rules):
    rules(visit_time={"hours_before": 2})

    ask(app, placed, visit_time="14:00:00", note="And a cake")

    assert app.get(f"{MINE}{placed}/").json()["visit_time"] == "10:00:00"


def test_rule_grants_nothing_shortly_before_the_visit(app, placed, rules):
    rules(cancel={"days_before": 31})

    app.post(f"{MINE}{placed}/cancel/", {})

    assert app.get(f"{MINE}{placed}/").json()["status"] == "placed"


def test_rule_grants_a_cancellation_early_enough(app, placed, rules):
    rules(cancel={"days_before": 7})

    app.post(f"{MINE}{placed}/cancel/", {})

    order = app.get(f"{MINE}{placed}/").json()
    assert (order["status"], order["requests"][0]["state"]) == ("cancelled", "confirmed")
    assert_sound()


def test_rule_grants_no_new_order(app, rules):
    rules(cancel={}, note={}, visit_date={}, visit_time={}, party_names={}, cancel_line={})

    number = app.post(MINE, {"lines": [{"product": "day"}]}).json()["number"]
    app.patch(f"{MINE}{number}/", {"note": "please"})

    assert app.get(f"{MINE}{number}/").json()["status"] == "requested"
