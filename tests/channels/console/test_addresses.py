"""Staff see, propose and decide changes of addresses in the console."""

import pytest
from django.test import Client
from django.utils import timezone

from butler.due import jobs
from butler.models import StaffTask
from customers.models import AccessLogEntry, AddressChange, Identifier
from tests import staff
from tests.channels.console.acting import page_of
from tests.customers.identity.address_app import AddressApp
from tests.customers.identity.company import WireSource, record_of
from tests.security.test_address_changes import stop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unlimited_codes")]

BOX, NEW = "noor@example.com", "noor.new@example.com"


@pytest.fixture
def shop():
    return WireSource("Shop", "site", ids="shop")


@pytest.fixture
def noor(shop):
    shop.identify(1, "noor", email=BOX, name="Noor de Wit")
    return AddressApp(BOX)


@pytest.fixture
def path(noor, shop) -> str:
    return f"customers/{record_of(shop.account('noor'))}/addresses/"


@pytest.fixture
def kim(db) -> Client:
    return staff.let_in(Client(), staff.colleague("desk", "Kim"))


def propose(caller, path, **fields):
    fields = {"adds": NEW, "removes": mailbox_id(), "evidence": "saw her passport"} | fields
    return caller.post(f"/console/{path}propose/", fields, follow=True)


def mailbox_id() -> int:
    return Identifier.objects.get(kind="email", value=BOX).pk


def decide(caller, path, outcome: str = "apply", **fields):
    change = AddressChange.objects.latest("id")
    fields = {"outcome": outcome, "state": change.state, "evidence": "called her back"} | fields
    return caller.post(f"/console/{path}changes/{change.pk}/", fields, follow=True)


def test_proposal_asks_a_second_colleague_by_a_task(desk, kim, path):
    page = propose(desk, path).content.decode()

    assert "The change is proposed. A colleague has to approve it." in page
    assert "You proposed this change." in page
    assert "Sam: saw her passport" in page
    task = StaffTask.objects.get()
    assert f"/console/{path}" in page_of(kim, "tasks/")
    answer = kim.post(f"/console/tasks/{task.pk}/take/")
    assert answer["Location"] == f"/console/{path}"


def test_second_colleague_approves_and_the_page_shows_the_notices(desk, kim, path):
    propose(desk, path)

    page = decide(kim, path).content.decode()

    assert "The change waits for three days." in page
    assert "Kim: called her back" in page
    assert f"<bdi>{NEW}</bdi>" in page
    assert "Takes effect" in page
    assert "Let it take effect" not in page


@pytest.mark.parametrize("outcome", ["apply", "cancel"])
def test_task_about_a_proposal_ends_with_its_decision(desk, kim, path, outcome):
    propose(desk, path)

    decide(kim, path, outcome)

    assert "proposes a change of an address" not in page_of(kim, "tasks/")


def test_task_about_a_freeze_stays_until_two_colleagues_decided(desk, kim, noor, path):
    noor.age()
    noor.add(NEW, replaces=BOX)
    stop(BOX)

    decide(desk, path)
    assert "stopped a change of an address" in page_of(kim, "tasks/")
    decide(kim, path)
    assert "stopped a change of an address" not in page_of(kim, "tasks/")


def test_task_about_a_freeze_ends_after_the_customer_decided_with_a_passkey(desk, kim, noor, path):
    noor.age()
    noor.add(NEW, replaces=BOX)
    stop(BOX)
    AddressChange.objects.update(state="cancelled")

    jobs.JOBS["change_addresses"](None, timezone.now())

    assert "stopped a change of an address" not in page_of(kim, "tasks/")


def test_proposer_has_no_button_to_approve(desk, path):
    propose(desk, path)

    page = page_of(desk, path)

    assert "Approve change" not in page
    assert "Cancel change" in page
    assert "Another colleague" in decide(desk, path).content.decode()


def test_frozen_change_of_the_customer_is_decided_by_two(desk, kim, noor, path):
    noor.age()
    noor.add(NEW, replaces=BOX)
    stop(BOX)
    page = page_of(desk, path)
    assert "Stopped by a holder of an address" in page
    assert "The customer (127.0.0.1" in page
    assert StaffTask.objects.get().kind == "address"

    assert "A second colleague has to agree" in decide(desk, path).content.decode()
    assert "The change took effect." in decide(kim, path).content.decode()


def test_stale_page_says_that_the_change_was_stopped(desk, kim, noor, path):
    noor.age()
    noor.add(NEW, replaces=BOX)
    stop(BOX)

    page = decide(desk, path, state="pending").content.decode()

    assert "The change is in another state meanwhile." in page
    assert AddressChange.objects.get().approved_by == ""


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"evidence": " "}, "The evidence is missing."),
        ({"adds": "", "removes": ""}, "The address is missing."),
        ({"adds": "x"}, "The new address is not valid"),
        ({"removes": "99999"}, "The record does not have this address any more."),
    ],
)
def test_wrong_input_is_named_and_changes_nothing(desk, path, fields, error):
    response = propose(desk, path, **fields)

    assert response.status_code == 422
    assert error in response.content.decode()
    assert not AddressChange.objects.exists()


def test_decision_needs_evidence(desk, kim, path):
    propose(desk, path)

    assert "The evidence is missing." in decide(kim, path, evidence=" ").content.decode()
    assert AddressChange.objects.get().state == "proposed"


def test_list_of_open_changes_leads_to_the_record_and_logs_the_look(desk, kim, path):
    propose(desk, path)

    page = page_of(kim, "address-changes/")

    assert f"/console/{path}" in page
    assert "Noor de Wit" in page
    assert AccessLogEntry.objects.filter(actor="staff:Kim", what="addresses").count() == 1


def test_separation_of_a_proved_address_leads_to_a_proposal(desk, noor, shop, path):
    record = path.split("/")[1]
    account = Identifier.objects.get(kind="user_id")
    fields = {"decision": "separate", "first": account.pk, "second_id": mailbox_id(), "reason": "x"}

    response = desk.post(f"/console/customers/{record}/identity/decide/", fields)

    assert response.status_code == 422
    assert "This takes a confirmed address off the customer." in response.content.decode()
    assert noor.is_open()
