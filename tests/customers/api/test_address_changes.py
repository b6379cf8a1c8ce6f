"""Changes of addresses by sources, and the part of staff in them."""

import pytest
from django.utils import timezone

from customers.actions import address_changes
from customers.models import AddressChange, Suppression
from tests.customers.identity.address_app import AddressApp, advance, suppressed
from tests.customers.identity.company import record_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

_RIGHTS = ("view_customer", "find_customer", "view_identifier", "view_review", "change_review")
BOX, NEW = "noor@example.com", "noor.new@example.com"


@pytest.fixture
def noor(account):
    return AddressApp(BOX)


def test_address_of_a_source_waits_three_days_after_its_proof(noor, shop, account):
    shop.identify(1000, "noor", email=NEW)

    new = AddressApp(NEW)

    assert new.orders() == []
    [change] = noor.listed()["changes"]
    assert (change["adds"], change["removes"]) == (NEW, BOX)
    advance(73)
    assert AddressApp(NEW).orders() == ["A-1"]
    assert AddressApp(NEW).states() == {BOX: "removed", NEW: "current"}
    assert not noor.is_open()


def test_cancelled_change_of_a_source_does_not_start_again(noor, shop):
    shop.identify(1000, "noor", email=NEW)
    AddressApp(NEW)
    [change] = noor.listed()["changes"]
    noor.request("delete", f"changes/{change['id']}/")

    shop.identify(1024, "noor", email=NEW)
    AddressApp(NEW)

    assert noor.listed()["changes"] == []


def test_address_that_a_source_named_before_the_proof_starts_no_change(noor, shop):
    shop.identify(0.5, "noor", email=NEW)

    AddressApp(NEW)

    assert noor.listed()["changes"] == []


def test_two_colleagues_let_a_frozen_change_take_effect(noor, account, lin, make_staff):
    noor.age()
    noor.add(NEW, replaces=BOX)
    change = AddressChange.objects.get()
    address_changes.freeze(change.pk, change.removed_id, now=timezone.now())
    path = f"/api/customers/{record_of(account)}/address-changes/"
    decision = {"outcome": "apply", "evidence": "saw her passport at the desk"}
    kim = make_staff(*_RIGHTS, name="kim")

    first = lin.post(f"{path}{change.pk}/decide/", decision)
    again = lin.post(f"{path}{change.pk}/decide/", decision)
    second = kim.post(f"{path}{change.pk}/decide/", decision)

    assert (first.json()["state"], again.status_code) == ("frozen", 409)
    assert second.json()["state"] == "applied"
    assert AddressApp(NEW).states() == {BOX: "removed", NEW: "current"}
    assert lin.get(path).json()["results"][0]["frozen_by"] == BOX


def test_colleague_cancels_a_frozen_change(noor, account, lin):
    noor.age()
    noor.add(NEW, replaces=BOX)
    change = AddressChange.objects.get()
    address_changes.freeze(change.pk, change.removed_id, now=timezone.now())
    decision = {"outcome": "cancel", "evidence": "she called: it was not her"}

    answer = lin.post(
        f"/api/customers/{record_of(account)}/address-changes/{change.pk}/decide/", decision
    )

    assert answer.json()["state"] == "cancelled"
    assert AddressApp(BOX).add("third@example.com")["state"] == "current"


def test_colleague_lifts_bounce_and_complaint(noor, account, lin):
    suppressed(BOX, "complained")
    suppressed(BOX, "bounced")

    answer = lin.post(f"/api/customers/{record_of(account)}/suppressions/lift/", {"address": BOX})

    assert answer.status_code == 204
    assert not Suppression.objects.filter(lifted_at=None).exists()


def test_sessions_end_when_staff_take_their_address_off(noor, account, lin, make_staff):
    path = f"/api/customers/{record_of(account)}/address-changes/"
    removal = {"removes": noor.address_id(BOX), "evidence": "she called from her number"}

    change_id = lin.post(path, removal).json()["id"]
    decision = {"outcome": "apply", "evidence": "called her back"}
    make_staff(*_RIGHTS, name="kim").post(f"{path}{change_id}/decide/", decision)
    assert noor.is_open()
    advance(73)

    assert not noor.is_open()


def test_removed_address_comes_back_with_its_past_when_both_are_proved_again(noor, shop, account):
    noor.add(NEW)
    noor.remove(BOX)
    new = AddressApp(NEW)

    assert new.add(BOX)["state"] == "current"

    assert new.states() == {BOX: "current", NEW: "current"}
    assert AddressApp(BOX).orders() == ["A-1"]


def test_changes_of_one_address_within_a_day_are_limited(noor):
    noor.add(NEW)
    new = AddressApp(NEW)
    for _ in range(10):
        change_id = new.remove(BOX).json()["id"]
        new.request("delete", f"changes/{change_id}/")

    assert new.remove(BOX).status_code == 429
