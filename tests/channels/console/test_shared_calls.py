"""Calls from the landline of a family: on the page of each, and filed on the one who called."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import AccessLogEntry, Customer, Interaction, RefiledEvent
from tests import staff
from tests.channels.console.acting import page_of
from tests.customers.identity.calls import call
from tests.customers.identity.company import WireSource, record_of
from tests.customers.identity.signed_in import SignedIn
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)

LANDLINE = "+31201234098"
NOOR, BRAM = "noor@example.com", "bram@example.com"


@pytest.fixture
def shop():
    shop = WireSource("Shop", "site", ids="shop")
    for hour, (user, box) in enumerate((("noor", NOOR), ("bram", BRAM)), start=1):
        shop.identify(hour, user, email=box, phone=LANDLINE, first_name=user.title())
    call("C-1", LANDLINE, hour=3)
    call("C-2", LANDLINE, hour=4)
    return shop


@pytest.fixture
def noor(shop) -> Customer:
    return Customer.objects.get(pk=record_of(shop.account("noor")))


@pytest.fixture
def bram(shop) -> Customer:
    return Customer.objects.get(pk=record_of(shop.account("bram")))


def move(desk: Client, customer: Customer, reference: str, **facts):
    return desk.post(f"/console/customers/{customer.id}/calls/{reference}/move/", **facts)


def started(session: SignedIn) -> int:
    return session.timeline().count("Call Started")


def test_page_of_each_holder_lists_the_calls_as_shared(desk, noor, bram):
    for customer, name in ((noor, "Noor"), (bram, "Bram")):
        page = page_of(desk, f"customers/{customer.id}/")
        assert "Calls from a shared number" in page
        assert "shared by 2" in page
        assert page.count(f"Move to {name}") == 2


def test_moved_call_is_of_one_holder_for_staff_and_customers(desk, noor, bram):
    answer = move(desk, bram, "call:C-1", follow=True)

    assert "The call is on this page now." in answer.content.decode()
    assert (started(SignedIn(NOOR)), started(SignedIn(BRAM))) == (0, 1)
    assert "Move to Noor" in page_of(desk, f"customers/{noor.id}/")
    assert page_of(desk, f"customers/{noor.id}/").count("Move to Noor") == 1
    assert Interaction.objects.get(reference="call:C-1").customer_id == bram.id
    assert RefiledEvent.objects.get().actor == "staff:Sam"


def test_later_steps_of_a_moved_call_follow_it(desk, bram):
    phone = WireSource("Telephone", "phone")

    def step(name: str) -> None:
        body = {"event": name, "callId": "C-9", "from": LANDLINE, "direction": "in"}
        answer = WsgiClient(headers={"Authorization": f"Bearer {phone.key}"}).post(
            "/v1/phone/calls", body, content_type="application/json"
        )
        assert answer.status_code == 200

    step("newCall")
    move(desk, bram, "call:C-9")
    step("answer")
    step("hangup")

    [interaction] = Interaction.objects.filter(reference="call:C-9")
    assert (interaction.customer_id, interaction.status) == (bram.id, "ended")
    assert SignedIn(BRAM).timeline().count("Call Ended") == 1


def test_moved_call_is_moved_back_by_its_event(desk, noor, bram):
    move(desk, bram, "call:C-1")
    event = RefiledEvent.objects.get()

    desk.post(
        f"/console/customers/{bram.id}/timeline/{event.customer_id}/{event.version}/move/undo/",
        {"confirm": "yes"},
    )

    assert started(SignedIn(BRAM)) == 0
    assert page_of(desk, f"customers/{noor.id}/").count("Move to Noor") == 2


def test_call_of_another_number_is_not_moved(desk, noor, bram):
    call("C-3", "+31201234111")

    answer = move(desk, bram, "call:C-3")

    assert answer.status_code == 404
    assert not RefiledEvent.objects.exists()


def test_customer_without_the_number_gets_no_call(desk, shop, noor):
    shop.identify(5, "eli", email="eli@example.com")
    eli = Customer.objects.get(pk=record_of(shop.account("eli")))

    move(desk, eli, "call:C-1")

    assert not RefiledEvent.objects.exists()


def test_choice_of_the_caller_opens_the_page_and_files_the_call(desk, noor, bram):
    choice = page_of(desk, "calls/call:C-1/")
    opened = desk.post("/console/calls/call:C-1/open/", {"customer": str(bram.id)})

    assert choice.count(">Open</button>") == 2
    assert opened["Location"] == f"/console/customers/{bram.id}/?for=call+call%3AC-1"
    assert (started(SignedIn(NOOR)), started(SignedIn(BRAM))) == (0, 1)


@pytest.mark.parametrize("customer", ["", "no"])
def test_form_without_a_customer_shows_the_choice_again(desk, shop, customer):
    answer = desk.post("/console/calls/call:C-1/open/", {"customer": customer})

    assert answer["Location"] == "/console/calls/call:C-1/"


def test_choice_of_an_unknown_customer_is_not_found(desk, shop):
    unknown = {"customer": "01a22cc4-755c-7283-a063-4a0952960849"}

    assert desk.post("/console/calls/call:C-1/open/", unknown).status_code == 404


def test_role_that_moves_nothing_sees_the_calls_without_buttons(noor):
    lin = staff.colleague("desk", name="Lin")
    lin.groups.clear()
    for codename in ("meet_customer", "view_interaction"):
        lin.user_permissions.add(Permission.objects.get(codename=codename))
    client = staff.let_in(Client(), lin)

    page = page_of(client, f"customers/{noor.id}/")

    assert "shared by 2" in page
    assert "Move to Noor" not in page
    assert move(client, noor, "call:C-1").status_code == 403


def test_switchboard_is_on_no_page(desk, shop, noor):
    for number in range(9):
        shop.identify(5, f"guest-{number}", email=f"guest-{number}@example.com", phone=LANDLINE)

    assert "Calls from a shared number" not in page_of(desk, f"customers/{noor.id}/")


def test_look_at_the_page_is_in_the_access_log(desk, noor):
    page_of(desk, f"customers/{noor.id}/")

    assert AccessLogEntry.objects.filter(customer=noor, what="page").count() == 1
