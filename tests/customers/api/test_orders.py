import threading
import uuid

import pytest
from django.db import connection

from customers.models import Customer, Event
from tests import factories

LINES = [
    {"product": "day-ticket", "name": "Day ticket", "quantity": 2, "unit_price": "39.50"},
    {"product": "dinner", "quantity": 2, "unit_price": "24.00", "details": {"diet": "vegan"}},
]
ORDER = {"currency": "EUR", "lines": LINES, "visit_date": "2026-12-24", "note": "late"}


@pytest.fixture
def orders(noor) -> str:
    return f"/api/customers/{noor[0].id}/orders/"


def test_an_order_is_placed_and_read_back(desk, noor, orders):
    placed = desk.post(orders, ORDER)

    order = desk.get(f"{orders}{placed.json()['number']}/").json()
    assert placed.status_code == 201
    assert placed.json()["customer"] == str(noor[0].id)
    assert placed.json()["version"] == order["version"] == 2
    assert (order["status"], order["total"], order["currency"]) == ("placed", "127.00", "EUR")
    assert (order["visit_date"], order["channel"]) == ("2026-12-24", "phone")
    assert [line["id"] for line in order["lines"]] == ["1", "2"]
    assert order["lines"][1]["details"] == {"diet": "vegan"}


def test_placed_order_is_in_the_record_and_in_the_list(desk, noor, orders):
    numbers = [desk.post(orders, ORDER).json()["number"] for _ in range(3)]

    record = desk.get(f"/api/customers/{noor[0].id}/").json()
    page = desk.get(orders, {"limit": 2}).json()
    rest = desk.get(page["next"]).json()

    assert [order["number"] for order in record["orders"]] == numbers[::-1]
    assert [order["number"] for order in page["results"] + rest["results"]] == numbers[::-1]
    assert rest["next"] is None


def test_order_placed_by_staff_is_visible_to_the_customer_at_once(desk, noor, orders):
    _, app = noor

    number = desk.post(orders, ORDER, **{"Butler-Staff": "sam"}).json()["number"]

    assert app.get(f"/api/me/orders/{number}/").json()["changed_by"] == "source:call desk, for sam"


def test_amendment_contains_only_the_changed_fields(desk, orders):
    number = desk.post(orders, ORDER).json()["number"]

    change = {"visit_date": "2026-12-27", "lines": [{"id": "1", "quantity": 3}]}
    amended = desk.patch(f"{orders}{number}/", change)

    order = desk.get(f"{orders}{number}/").json()
    assert (amended.status_code, amended["ETag"]) == (200, f'"{amended.json()["version"]}"')
    assert (order["status"], order["visit_date"]) == ("amended", "2026-12-27")
    assert (order["total"], order["details"]) == ("166.50", {"note": "late"})


def test_visit_date_can_be_removed(desk, orders):
    number = desk.post(orders, ORDER).json()["number"]

    desk.patch(f"{orders}{number}/", {"visit_date": None})

    assert desk.get(f"{orders}{number}/").json()["visit_date"] is None


def test_a_line_is_cancelled_in_part_and_whole(desk, orders):
    number = desk.post(orders, ORDER).json()["number"]
    lines = f"{orders}{number}/lines/"

    desk.post(f"{lines}1/cancel/", {"quantity": 1})
    desk.post(f"{lines}2/cancel/")
    again = desk.post(f"{lines}2/cancel/")

    order = desk.get(f"{orders}{number}/").json()
    assert order["total"] == "39.50"
    assert [(line["quantity"], line["status"]) for line in order["lines"]] == [
        (1, "ordered"),
        (2, "cancelled"),
    ]
    assert (again.status_code, again.json()["type"]) == (409, "urn:butler:problem:no-such-line")


def test_cancelled_order_cannot_be_changed(desk, orders):
    number = desk.post(orders, ORDER).json()["number"]

    cancelled = desk.post(f"{orders}{number}/cancel/", {"reason": "ill"})
    late = desk.patch(f"{orders}{number}/", {"note": "x"})

    assert cancelled.status_code == 200
    assert desk.get(f"{orders}{number}/").json()["status"] == "cancelled"
    assert (late.status_code, late.json()["type"]) == (409, "urn:butler:problem:order-closed")


def test_history_names_the_author_of_each_change(desk, noor, orders):
    _, app = noor
    number = desk.post(orders, ORDER, **{"Butler-Staff": "sam"}).json()["number"]
    app.patch(f"/api/me/orders/{number}/", {"visit_date": "2026-12-27"})

    events = desk.get(f"{orders}{number}/history/").json()["results"]

    assert [(event["name"], event["actor"], event["channel"]) for event in events] == [
        ("Order Change Requested", "", "app"),
        ("Order Completed", "source:call desk, for sam", "phone"),
    ]
    assert events[0]["body"]["properties"]["visit_date"] == "2026-12-27"


def test_customers_do_not_set_prices(noor):
    _, app = noor
    unpriced = {"lines": [{"product": "day-ticket", "quantity": 2}]}

    priced = app.post("/api/me/orders/", ORDER)
    placed = app.post("/api/me/orders/", unpriced)
    number = placed.json()["number"]
    cheaper = app.patch(f"/api/me/orders/{number}/", {"lines": [{"id": "1", "unit_price": "0.01"}]})
    added = app.patch(f"/api/me/orders/{number}/", {"lines": [{"id": "9", "quantity": 1}]})

    assert (priced.status_code, placed.status_code) == (403, 201)
    assert cheaper.status_code == 403
    assert (added.status_code, added.json()["type"]) == (409, "urn:butler:problem:no-such-line")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"lines": []}, id="nothing ordered"),
        pytest.param({"lines": [{"product": "x", "unit_price": 3}]}, id="a price as a number"),
        pytest.param({"lines": [{"product": "x", "unit_price": "-3"}]}, id="a price below zero"),
        pytest.param({"lines": [{"product": "x", "quantity": 0}]}, id="none of it"),
        pytest.param({"lines": [{"product": "x"}], "currency": "euro"}, id="no currency"),
        pytest.param({"lines": [{"product": "x"}], "visit_date": "soon"}, id="no date"),
        pytest.param({"lines": [{"product": "x"}], "status": "refunded"}, id="not for callers"),
        pytest.param({"lines": [{"product": "x"}], "number": "a/b"}, id="a number with a slash"),
        pytest.param([], id="no object"),
    ],
)
def test_invalid_order_is_refused_with_the_reason(desk, orders, body):
    answer = desk.post(orders, body)

    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b'{"lines": [', 400),
        (b'{"a": NaN}', 400),
        (b'{"a": "\\u0000"}', 400),
        (b'{"a": "\\ud800"}', 400),
        (b'{"a": 1, "a": 2}', 400),
        (b"[" * 100_000, 400),
        (b'{"a": ' * 100_000, 413),
        (b'{"a": ' + b"9" * 5000 + b"}", 400),
        (b'{"a": "' + b"x" * 300_000 + b'"}', 413),
        (b'{"a": "' + b"x" * 5_000_000 + b'"}', 413),
        (b"\xff\xfe", 400),
    ],
)
def test_hostile_body_is_a_client_error(desk, orders, raw, status):
    answer = desk.client.generic("POST", orders, raw, content_type="application/json")

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_other_kinds_of_bodies_and_methods_are_refused(desk, orders):
    form = desk.client.generic("POST", orders, b"a=b", content_type="text/plain")
    put = desk.send("PUT", orders, ORDER)

    assert (form.status_code, put.status_code) == (415, 405)
    assert set(put["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_number_belongs_to_one_order(desk, orders, eli):
    desk.post(orders, ORDER | {"number": "A-1001"})

    again = desk.post(orders, ORDER | {"number": "A-1001"})
    elsewhere = desk.post(f"/api/customers/{eli[0].id}/orders/", ORDER | {"number": "A-1001"})

    assert (again.status_code, elsewhere.status_code) == (409, 409)
    assert Customer.objects.filter(canonical__isnull=False).count() == 0


def test_a_number_that_an_app_claimed_is_free_for_the_shop(desk, orders):
    app = factories.sender(trusted=False)
    factories.record(
        factories.order("A-1001", ("anonymous_id", "a-1"), ("order", "A-1001")), by=app
    )

    assert desk.post(orders, ORDER | {"number": "A-1001"}).status_code == 201


def test_changing_an_order_that_was_only_claimed_keeps_all_of_it_but_its_prices(desk, db):
    app = factories.sender(trusted=False)
    lines = [{"line_id": "1", "name": "Ticket", "quantity": 2, "price": 10}]
    claimed = factories.order("C-1", ("anonymous_id", "a-1"), lines=lines, currency="EUR")
    customer = factories.record(claimed, by=app).outcomes[0].customer_id
    order = f"/api/customers/{customer}/orders/C-1/"

    desk.post(f"{order}lines/1/cancel/", {"quantity": 1})

    changed = desk.get(order).json()
    assert (changed["is_verified"], changed["total"], changed["currency"]) == (
        True,
        "0.00",
        "EUR",
    )
    assert [(line["name"], line["quantity"]) for line in changed["lines"]] == [("Ticket", 1)]


def _claim_an_order(number: str) -> None:
    """Claim an order with Mallory's browser, in which she signed in before."""
    factories.record(
        factories.incoming_event(("email", "mallory@example.com"), ("anonymous_id", "hers"))
    )
    lines = [{"line_id": "1", "product": "day", "price": "0.01"}]
    claim = factories.order(
        number, ("anonymous_id", "hers"), ("order", number), lines=lines, visit_date="2030-05-01"
    )
    factories.record(claim, by=factories.sender(trusted=False))


def test_customer_cannot_confirm_an_order_claimed_by_the_browser(make_customer):
    _, app = make_customer("mallory@example.com")
    _claim_an_order("FREE-1")

    answers = [
        app.patch("/api/me/orders/FREE-1/", {"note": "mine"}),
        app.post("/api/me/orders/FREE-1/lines/1/cancel/", {"quantity": 1}),
        app.post("/api/me/orders/FREE-1/cancel/", {}),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    record = app.get("/api/me/").json()
    assert [placed_order["is_verified"] for placed_order in record["orders"]] == [False]
    assert record["next_visit"] is None


def test_claim_of_an_order_number_of_another_customer_is_never_confirmed(
    desk, orders, make_customer
):
    desk.post(orders, ORDER | {"number": "A-1001"})
    mallory, _ = make_customer("mallory@example.com")
    _claim_an_order("A-1001")

    answer = desk.patch(f"/api/customers/{mallory.id}/orders/A-1001/", {"note": "hers"})

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:butler:problem:number-taken")


def test_a_claimed_order_that_staff_confirmed_has_its_number(desk, orders, make_customer):
    mallory, _ = make_customer("mallory@example.com")
    _claim_an_order("C-1")
    desk.patch(f"/api/customers/{mallory.id}/orders/C-1/", {"note": "confirmed"})

    assert desk.post(orders, ORDER | {"number": "C-1"}).status_code == 409


def test_change_for_another_version_is_refused(desk, orders):
    number = desk.post(orders, ORDER).json()["number"]
    events = Event.objects.count()

    late = desk.patch(f"{orders}{number}/", {"note": "x"}, **{"If-Match": '"1"'})
    weak = desk.patch(f"{orders}{number}/", {"note": "x"}, **{"If-Match": 'W/"2"'})
    placed_late = desk.post(orders, ORDER, **{"If-Match": '"1"'})

    assert (late.status_code, late.json()["version"], late["ETag"]) == (412, 2, '"2"')
    assert (weak.status_code, placed_late.status_code) == (412, 412)
    assert Event.objects.count() == events
    assert desk.patch(f"{orders}{number}/", {"note": "y"}, **{"If-Match": '"2"'}).status_code == 200


def test_repeated_request_gets_the_same_response_and_has_one_effect(desk, orders):
    once = {"Idempotency-Key": str(uuid.uuid4())}

    first, again = desk.post(orders, ORDER, **once), desk.post(orders, ORDER, **once)
    other = desk.post(orders, ORDER | {"note": "other"}, **once)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (
        422,
        "urn:butler:problem:idempotency-key-reused",
    )
    assert len(desk.get(orders).json()["results"]) == 1


def test_idempotency_key_is_valid_for_seven_days(desk, orders, time_machine):
    once = {"Idempotency-Key": "k-1"}
    time_machine.move_to("2026-11-21T12:00:00Z")
    first = desk.post(orders, ORDER, **once)

    time_machine.move_to("2026-11-28T11:00:00Z")
    repeated = desk.post(orders, ORDER, **once)
    time_machine.move_to("2026-11-28T13:00:00Z")
    forgotten = desk.post(orders, ORDER, **once)

    assert repeated.content == first.content
    assert forgotten.json()["number"] != first.json()["number"]


def test_failed_request_can_be_retried_with_the_same_key(desk, orders):
    once = {"Idempotency-Key": "k-1"}

    refused = desk.post(orders, ORDER, **once, **{"If-Match": '"7"'})
    accepted = desk.post(orders, ORDER, **once, **{"If-Match": '"1"'})

    assert (refused.status_code, accepted.status_code) == (412, 201)


def test_idempotency_keys_of_callers_are_separate(desk, orders, make_key):
    once = {"Idempotency-Key": "k-1"}

    mine, yours = desk.post(orders, ORDER, **once), make_key().post(orders, ORDER, **once)

    assert mine.json()["number"] != yours.json()["number"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_equal_requests_have_one_effect(desk, noor):
    path = f"/api/customers/{noor[0].id}/orders/"
    answers = []

    def place():
        answers.append(desk.post(path, ORDER, **{"Idempotency-Key": "k-1"}).status_code)
        connection.close()

    threads = [threading.Thread(target=place) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(answers) <= {201, 409}
    assert 201 in answers
    assert len(desk.get(path).json()["results"]) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_orders_with_one_number_merge_no_records(desk, noor, eli):
    paths = [f"/api/customers/{customer.id}/orders/" for customer, _ in (noor, eli)] * 6
    answers = []

    def place(path):
        answers.append(desk.post(path, ORDER | {"number": "A-1"}).status_code)
        connection.close()

    threads = [threading.Thread(target=place, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201] + [409] * 11
    assert not Customer.objects.filter(canonical__isnull=False).exists()


def test_record_with_only_claimed_identifiers_takes_no_order(desk, db):
    app = factories.sender(trusted=False)
    customer = factories.customer(("email", "someone@example.com"), by=app)

    answer = desk.post(f"/api/customers/{customer.id}/orders/", ORDER)

    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:butler:problem:nothing-proved",
    )


def test_order_for_a_merged_record_belongs_to_the_live_record(desk, db):
    live_record = factories.customer(("user_id", "u-1"))
    other = factories.customer(("email", "noor@example.com"))
    factories.record(factories.identify(("user_id", "u-1"), ("email", "noor@example.com")))

    placed = desk.post(f"/api/customers/{other.id}/orders/", ORDER)

    assert placed.json()["customer"] == str(live_record.id)


def test_order_total_above_the_limit_is_refused(desk, orders):
    fortune = {"product": "day", "quantity": 6899, "unit_price": "760516440.70"}

    refused = desk.post(orders, {"currency": "EUR", "lines": [fortune]})

    assert (refused.status_code, refused.json()["title"]) == (422, "Too much")
    assert desk.get(orders).json()["results"] == []
