from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from butler.actions import tasks
from butler.models import Automation, Halt, Task
from customers.models import Customer, Look, Merge, Order, Review
from tests import factories, staff

pytestmark = pytest.mark.django_db

ADDRESS = ("email", "noor@example.com")


@pytest.fixture
def noor() -> Customer:
    noor = factories.customer(
        ADDRESS, ("phone", "+46701740605"), name="Noor de Wit", first_name="Noor", language="nl"
    )
    factories.record(
        factories.item(
            ADDRESS,
            name="Party Member Changed",
            about="member:sem",
            properties={
                "reference": "sem",
                "name": "Sem",
                "role": "child",
                "birth_date": "2018-04-01",
            },
        )
    )
    return noor


@pytest.fixture
def desk(client) -> Client:
    return staff.let_in(client, staff.colleague("desk"))


def _order(number: str = "LK-1", **facts) -> None:
    said = {
        "name": "Lantern Night",
        "visit_date": (timezone.localdate() + timedelta(days=9)).isoformat(),
        "currency": "EUR",
        "lines": [
            {"line_id": "a", "name": "Day ticket", "quantity": 2, "price": "34.50"},
            {"line_id": "b", "name": "Parking", "quantity": 1, "price": "12.50"},
        ],
        **facts,
    }
    now = timezone.now()
    factories.record(
        factories.item(
            ADDRESS,
            ("order", number),
            name="Order Completed",
            about=f"order:{number}",
            properties=said,
            at=now,
        ),
        at=now,
    )


def _page(client: Client, path: str) -> str:
    answer = client.get(f"/console/{path}")
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


# The customer's page ------------------------------------------------------------------


def test_the_person_comes_first(desk, noor):
    _order()
    page = _page(desk, f"customers/{noor.id}/")

    for said in ("Noor de Wit", "Dutch", "Sem (", "Lantern Night", "noor@example.com"):
        assert said in page
    assert "What we may say now" in page


def test_the_till_sees_name_and_visit_and_no_more(client, noor):
    _order()
    till = staff.let_in(client, staff.colleague("till", "Iris"))

    page = _page(till, f"customers/{noor.id}/")

    assert "Noor de Wit" in page
    assert "LK-1" in page
    for hidden in ("noor@example.com", "As it happens", "What we may say now", "81.50", "Sem ("):
        assert hidden not in page


def test_the_marketer_sees_what_may_be_said_and_no_order(client, noor):
    _order()
    marketer = staff.let_in(client, staff.colleague("marketer", "Mika"))

    page = _page(marketer, f"customers/{noor.id}/")

    assert "What we may say now" in page
    for hidden in ("noor@example.com", "As it happens", "LK-1<", "81.50"):
        assert hidden not in page


def test_a_joined_record_leads_to_the_one_that_lives(desk, noor):
    factories.record(factories.item(("user_id", "u-1")))
    factories.record(factories.item(("user_id", "u-1"), ADDRESS))
    gone = Customer.objects.get(canonical__isnull=False)

    assert "Noor de Wit" in _page(desk, f"customers/{gone.id}/")


def test_every_look_is_a_row_with_who_and_why(desk, noor):
    _page(desk, f"customers/{noor.id}/?for=call")
    # What the open page asks for by itself is no new look.
    _page(desk, f"customers/{noor.id}/?parts")
    _page(desk, "search/?q=noor")

    looks = Look.objects.filter(customer_id=noor.id).order_by("id")
    assert [(look.actor, look.role, look.what, look.reason) for look in looks] == [
        ("staff:Sam", "desk", "page", "call"),
        ("staff:Sam", "desk", "search", ""),
    ]


def test_who_looked_is_shown_to_who_answers_for_it(client, desk, noor):
    _page(desk, f"customers/{noor.id}/?for=call")
    pia = staff.let_in(Client(), staff.colleague("privacy officer", "Pia"))

    page = _page(pia, f"customers/{noor.id}/looks/")

    assert "staff:Sam" in page
    assert "call" in page


def test_a_page_costs_the_same_however_much_happened(desk, noor):
    path = f"/console/customers/{noor.id}/?parts"
    desk.get(path)
    with CaptureQueriesContext(connection) as little:
        desk.get(path)
    for number in range(15):
        _order(f"LK-{number}")
        tasks.ask(
            key=f"t{number}",
            kind="phone",
            customer_id=noor.id,
            title="Call",
            body="",
            due_at=timezone.now(),
        )
    with CaptureQueriesContext(connection) as much:
        desk.get(path)

    assert len(much) <= len(little) + 4
    assert len(much) < 30


def test_a_search_costs_the_same_however_many_are_found(desk):
    for number in range(20):
        factories.customer(("user_id", f"u-{number}"), name=f"Noor Jansen {number}")
    desk.get("/console/search/?q=xx")
    with CaptureQueriesContext(connection) as many:
        desk.get("/console/search/?q=noor")

    assert len(many) < 14
    assert Look.objects.filter(what="search").count() == 20


def test_a_rest_read_of_somebody_elses_record_is_a_look(noor):
    sam = staff.let_in(Client(), staff.colleague("desk"))

    sam.get(f"/api/customers/{noor.id}/orders/")

    [look] = Look.objects.filter(customer_id=noor.id)
    assert (look.actor, look.what) == ("staff:Sam", "orders")


# Orders -------------------------------------------------------------------------------

FORM = {
    "key": "a1b2c3",
    "name": "Lantern Night",
    "currency": "EUR",
    "guests": "Noor, Sem",
    "line0_quantity": "2",
    "line0_name": "Day ticket",
    "line0_price": "34,50",
}


def test_the_price_is_shown_before_anything_is_done(desk, noor):
    page = desk.post(f"/console/customers/{noor.id}/orders/new/", FORM).content.decode()

    assert "69.00" in page
    assert "Place it" in page
    assert not Order.objects.filter(customer=noor).exists()


def test_an_order_is_placed_once_however_often_the_button_is_pressed(desk, noor):
    for _ in range(3):
        answer = desk.post(f"/console/customers/{noor.id}/orders/new/", FORM | {"place": "yes"})
        assert answer["Location"] == f"/console/customers/{noor.id}/"

    order = Order.objects.get(customer=noor)
    assert (str(order.total), order.changed_by) == ("69.00", "staff:Sam")
    assert [guest["name"] for guest in order.party] == ["Noor", "Sem"]


def test_the_same_form_with_other_content_is_not_placed(desk, noor):
    path = f"/console/customers/{noor.id}/orders/new/"
    desk.post(path, FORM | {"place": "yes"})

    answer = desk.post(path, FORM | {"place": "yes", "line0_quantity": "9"})

    assert answer.status_code == 409
    assert Order.objects.filter(customer=noor).count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"visit_date": "2020-01-01"}, "is over"),
        ({"visit_date": "tomorrow"}, "not a date"),
        ({"visit_time": "26:00"}, "not a time"),
        ({"line0_quantity": "0"}, "How many"),
        ({"line0_quantity": "²"}, "How many"),
        ({"line0_price": "1e3"}, ""),
        ({"line0_price": "-5"}, "not an amount"),
        ({"line0_price": "NaN"}, "not an amount"),
        ({"line0_price": "5.001"}, "not an amount"),
        ({"line0_name": ""}, "no name"),
        ({"line0_name": "", "line0_price": ""}, "nothing in the order"),
        ({"currency": "€"}, "three letters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_placed(desk, noor, change, said):
    answer = desk.post(
        f"/console/customers/{noor.id}/orders/new/",
        FORM | change | ({"place": "yes"} if said else {}),
    )

    assert said in answer.content.decode()
    assert answer.status_code == (422 if said else 200)
    assert not Order.objects.filter(customer=noor).exists()


def test_an_order_is_changed_after_the_difference_was_shown(desk, noor):
    _order()
    path = f"/console/customers/{noor.id}/orders/LK-1/"
    assert 'value="34.50"' in _page(desk, path.removeprefix("/console/"))
    change = FORM | {"line0_id": "a", "line0_quantity": "3"}

    shown = desk.post(path, change).content.decode()
    assert "81.50" in shown
    assert "116.00" in shown
    assert Order.objects.get(customer=noor).status == "placed"
    desk.post(path, change | {"place": "yes"})

    order = Order.objects.get(customer=noor)
    assert (order.status, str(order.total)) == ("amended", "116.00")


def test_an_order_of_many_lines_with_a_price_of_its_own_keeps_them(desk, noor):
    lines = [
        {"line_id": f"l{n}", "name": f"Thing {n}", "quantity": 1, "price": "10.00"}
        for n in range(9)
    ]
    # Agreed on: less than its lines.
    _order(lines=lines, total="80.00")
    path = f"/console/customers/{noor.id}/orders/LK-1/"
    assert 'value="Thing 8"' in _page(desk, path.removeprefix("/console/"))
    change = FORM | {
        "line0_id": "l0",
        "line0_quantity": "2",
        "line0_price": "10.00",
        "place": "yes",
    }

    shown = {name: value for name, value in change.items() if name != "place"}
    assert "90.00" in desk.post(path, shown).content.decode()
    desk.post(path, change)

    order = Order.objects.get(customer=noor)
    assert (len(order.lines), str(order.total)) == (9, "90.00")


def test_a_line_and_then_the_whole_order_are_cancelled(desk, noor):
    _order()
    path = f"/console/customers/{noor.id}/orders/LK-1/"

    desk.post(f"{path}lines/b/cancel/")
    assert str(Order.objects.get(customer=noor).total) == "69.00"
    desk.post(f"{path}cancel/", {"reason": "ill"})
    assert Order.objects.get(customer=noor).status == "cancelled"
    said = desk.post(f"{path}cancel/", follow=True).content.decode()

    assert "was cancelled or refunded" in said


# Calls, tasks, merges, switches -------------------------------------------------------


def _call(call: str, number: str, **facts) -> None:
    now = timezone.now()
    factories.record(
        factories.item(
            ("phone", number),
            name="Call Started",
            about=f"call:{call}",
            at=now,
            properties={"direction": "in", "from": number, **facts},
        ),
        at=now,
    )


def test_a_call_of_somebody_known_opens_their_page(desk, noor):
    _call("c1", "+46701740605")

    assert "+46701740605" in _page(desk, "calls/?parts")
    answer = desk.get("/console/calls/call:c1/")

    assert answer["Location"] == f"/console/customers/{noor.id}/?for=call+call%3Ac1"


def test_a_call_of_nobody_opens_a_search(desk):
    _call("c2", "+46701740699")

    assert "Nobody we know" in _page(desk, "calls/call:c2/")
    assert not Look.objects.exists()


def test_a_call_that_is_over_does_not_ring(desk, noor):
    _call("c1", "+46701740605")
    now = timezone.now()
    factories.record(
        factories.item(("phone", "+46701740605"), name="Call Ended", about="call:c1", at=now),
        at=now,
    )

    assert "Nobody is calling" in _page(desk, "calls/?parts")


def test_a_task_is_taken_and_finished(desk, noor):
    task = tasks.ask(
        key="t",
        kind="phone",
        customer_id=noor.id,
        title="Call Noor",
        body="At four.",
        due_at=timezone.now(),
    )
    other = staff.let_in(Client(), staff.colleague("desk", "Lin"))

    desk.post(f"/console/tasks/{task}/take/")
    refused = other.post(f"/console/tasks/{task}/take/", follow=True).content.decode()
    desk.post(f"/console/tasks/{task}/finish/", {"outcome": "reached", "note": "Glad."})

    kept = Task.objects.get(pk=task)
    assert "A colleague has this one" in refused
    assert (kept.outcome, kept.note, bool(kept.done_at)) == ("reached", "Glad.", True)
    assert "Nothing waits" in _page(desk, "tasks/")


def test_two_records_are_joined_and_parted_again(desk, noor):
    other = factories.customer(("email", "n.dewit@example.com"), name="N. de Wit")
    review = Review.objects.create(
        kind="suggested_merge", left=noor, right=other, evidence={"same_name": "de Wit"}
    )
    page = _page(desk, f"merges/{review.pk}/")
    assert "n.dewit@example.com" in page
    assert "same name" in page

    desk.post(f"/console/merges/{review.pk}/join/")
    merge = Merge.objects.get(reason="staff")
    assert "Part them again" in _page(desk, f"customers/{noor.id}/")
    desk.post(f"/console/customers/{merge.kept_id}/merges/{merge.pk}/part/")

    merge.refresh_from_db()
    assert merge.parted_at
    assert merge.actor == "staff:Sam"


def test_a_manager_stops_an_automation_and_lets_it_go_on(client):
    Automation.objects.create(key="offer")
    lin = staff.let_in(client, staff.colleague("manager", "Lin"))

    lin.post("/console/switches/throw/", {"key": "offer"})
    assert not Halt.objects.exists()
    lin.post("/console/switches/throw/", {"key": "offer", "reason": "Wrong price"})
    assert "Wrong price" in _page(lin, "switches/")
    lin.post("/console/switches/lift/", {"key": "offer"})

    assert "Nothing is stopped" in _page(lin, "switches/")
    assert Halt.objects.get().lifted_by == "staff:Lin"
