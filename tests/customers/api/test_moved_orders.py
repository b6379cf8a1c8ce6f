"""A moved order leaves its former customer completely, and its next customer reads nothing about that one."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers import rebuild
from customers.actions import orders
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.identity import decisions
from customers.identity.rebuilding import check_records
from customers.models import Identifier, Order
from customers.queries.timeline import TimelineFilter, timeline
from tests import factories
from tests.customers.api.conftest import key
from tests.factories import NOON, order, record

MINE = "/api/me/orders/"
LINES = [{"product": "day", "quantity": 2, "unit_price": "20.00"}]
NOOR, ELI = ("email", "noor@example.com"), ("email", "eli@example.com")
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """The shop, which owns its space and places the order."""
    return key(channel="site", name="shop")


@pytest.fixture
def staff(make_staff):
    return make_staff("view_customer", "change_order")


@pytest.fixture
def placed(noor, shop) -> str:
    """An order of Noor's that the shop placed, with a visit in thirty days."""
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    body = {"currency": "EUR", "visit_date": day, "lines": LINES}
    return shop.post(f"/api/customers/{noor[0].id}/orders/", body).json()["number"]


@pytest.fixture
def move(shop, placed):
    """Return a function with which the shop names this customer as the customer of the order."""

    def name_customer(address: str) -> None:
        event = {
            "event": "Order Amended",
            "messageId": str(uuid.uuid4()),
            "timestamp": timezone.now().isoformat(),
            "properties": {"order_id": placed},
            "context": {"traits": {"email": address}},
        }
        assert shop.post("/v1/track", event).status_code == 200

    return name_customer


def assert_sound():
    live_ids = list(rebuild.live_ids())
    assert all(rebuild.find_differences(ids) == [] for ids in live_ids)
    ids = [id_ for of_batch in live_ids for id_ in of_batch]
    assert check_records(ids, now=timezone.now())[:4] == ([], [], 0, 0)


@pytest.mark.parametrize("writer", ["shop", "desk", "staff"])
def test_change_by_the_api_moves_with_the_order(request, noor, eli, placed, move, writer):
    caller = request.getfixturevalue(writer)
    path = f"/api/customers/{noor[0].id}/orders/{placed}/"
    assert caller.patch(path, {"note": "by the gate"}).status_code == 200

    move("eli@example.com")

    assert eli[1].get(f"{MINE}{placed}/").json()["details"]["note"] == "by the gate"
    assert noor[1].get(MINE).json()["results"] == []
    assert noor[1].get(f"{MINE}{placed}/tickets/").status_code == 404
    assert Order.objects.filter(number=placed).count() == 1
    assert_sound()


def test_change_that_the_source_confirmed_moves_with_the_order(noor, eli, shop, placed, move):
    noor[1].patch(f"{MINE}{placed}/", {"visit_date": "2027-05-01"})
    [request] = noor[1].get(f"{MINE}{placed}/").json()["requests"]
    shop.post(f"/api/orders/requests/{request['id']}/confirm/")

    move("eli@example.com")

    assert eli[1].get(f"{MINE}{placed}/").json()["visit_date"] == "2027-05-01"
    assert noor[1].get(MINE).json()["results"] == []
    assert_sound()


@pytest.fixture
def request_id(noor, placed):
    """The id of a request by Noor, whose text is for the company and not for the next customer."""
    answer = noor[1].patch(f"{MINE}{placed}/", {"note": "I come in a wheelchair"})
    assert answer.status_code == 200
    [request] = noor[1].get(f"{MINE}{placed}/").json()["requests"]
    return request["id"]


def test_next_customer_reads_nothing_that_the_former_one_asked_for(
    eli, desk, placed, request_id, move
):
    move("eli@example.com")

    app = eli[1]
    assert app.get(f"{MINE}{placed}/").json()["requests"] == []
    pages = (MINE, f"{MINE}{placed}/", f"{MINE}{placed}/history/", "/api/me/timeline/", "/api/me/")
    for path in pages:
        assert b"wheelchair" not in app.get(path).content
    names = {event["name"] for event in app.get(f"{MINE}{placed}/history/").json()["results"]}
    assert names == {"Order Moved", "Order Amended"}
    of_staff = desk.get(f"/api/customers/{eli[0].id}/orders/{placed}/history/")
    assert b"wheelchair" in of_staff.content


@pytest.mark.parametrize("verb", ["confirm", "decline"])
def test_request_of_the_former_customer_cannot_be_answered(
    eli, shop, placed, request_id, move, verb
):
    move("eli@example.com")

    assert shop.get("/api/orders/requests/").json()["results"] == []
    assert shop.post(f"/api/orders/requests/{request_id}/{verb}/").status_code == 404
    assert "note" not in eli[1].get(f"{MINE}{placed}/").json()["details"]


def test_later_event_that_names_the_former_customer_ends_no_request(eli, shop, placed, move):
    move("eli@example.com")
    app = eli[1]
    assert app.patch(f"{MINE}{placed}/", {"note": "We come late"}).status_code == 200
    refund = {
        "event": "Order Refunded",
        "messageId": "refund-1",
        "properties": {"order_id": placed, "amount": "1.00"},
        "context": {"traits": {"email": "noor@example.com"}},
    }
    assert shop.post("/v1/track", refund).status_code == 200

    stored = app.get(f"{MINE}{placed}/").json()
    assert (stored["status"], stored["requests"][0]["state"]) == ("partly_refunded", "asked")
    history = app.get(f"{MINE}{placed}/history/").json()["results"]
    assert [event["name"] for event in history].count("Order Moved") == 1
    assert_sound()


def test_customer_of_both_records_reads_the_whole_history(noor, eli, placed, request_id, move):
    move("eli@example.com")
    decisions.merge_records(noor[0].id, eli[0].id, actor="staff:lin", now=timezone.now())
    live_id = Identifier.objects.get(kind="email", value=ELI[1]).customer_id

    assert "Order Change Requested" in history(live_id, placed)


def history(customer_id, number):
    """The names of the events of an order, as the customer of the whole record reads them."""
    page = timeline(
        customer_id,
        filters=TimelineFilter(about=f"order:{number}"),
        cursor=None,
        limit=50,
        part=None,
        is_for_customer=True,
    )
    return [event.name for event in page.results]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_stored", [False, True], ids=["order read", "change stored"])
def test_change_during_a_move_is_not_lost(is_stored):
    shop = factories.sender()
    record(order("1001", NOOR, ("order", "1001"), total="10.00"), by=shop)
    moving = order(
        "1001", ELI, ("order", "1001"), name="Order Amended", at=NOON + timedelta(hours=1)
    )
    staff = internal_sources.signed_in_sender("staff console", "console")
    holder = Identifier.objects.get(kind="email", value=NOOR[1]).customer_id
    target = orders.OrderTarget(holder, "1001", ChangeAuthor(staff, "staff:lin"), timezone.now())
    moved = threading.Event()

    def move_order():
        try:
            record(moving, by=shop)
            moved.set()
        finally:
            connection.close()

    mover = threading.Thread(target=move_order)
    with transaction.atomic():
        if not is_stored:
            orders.lock_open_order(target)
            mover.start()
            assert not moved.wait(0.5)
        orders.amend_order(target=target, change={"note": "by the gate"})
        if is_stored:
            mover.start()
            assert not moved.wait(0.5)
    mover.join()

    [stored] = Order.objects.filter(number="1001")
    assert stored.customer_id == Identifier.objects.get(kind="email", value=ELI[1]).customer_id
    assert stored.details == {"note": "by the gate"}
    assert_sound()
