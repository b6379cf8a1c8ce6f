"""Changes of addresses by sources, and the part of staff in them."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from customers.actions import address_changes, source_address_changes
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


def start_confirmed_changes() -> None:
    source_address_changes.start_confirmed_changes(now=timezone.now(), limit=100)


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


def test_address_that_a_source_confirmed_waits_three_days_with_notices(noor, shop, mailoutbox):
    shop.identify(1000, "noor", email=NEW, email_verified=True)
    new = AddressApp(NEW)
    assert new.orders() == []

    start_confirmed_changes()

    [change] = noor.listed()["changes"]
    assert (change["adds"], change["removes"]) == (NEW, BOX)
    assert {BOX, NEW} <= {address for mail in mailoutbox for address in mail.to}
    assert (noor.orders(), AddressApp(NEW).orders()) == (["A-1"], [])
    advance(73)
    assert AddressApp(NEW).orders() == ["A-1"]
    assert AddressApp(NEW).states() == {BOX: "removed", NEW: "current"}
    assert not noor.is_open()


def test_holder_freezes_the_address_that_a_source_confirmed(noor, shop):
    shop.identify(1000, "noor", email=NEW, email_verified=True)
    start_confirmed_changes()

    change = AddressChange.objects.get()
    address_changes.freeze(change.pk, change.removed_id, now=timezone.now())
    advance(73)

    assert AddressApp(NEW).orders() == []
    assert noor.orders() == ["A-1"]


def test_change_that_a_source_confirmed_starts_once(noor, shop):
    shop.identify(1000, "noor", email=NEW, email_verified=True)
    start_confirmed_changes()
    [change] = noor.listed()["changes"]
    noor.request("delete", f"changes/{change['id']}/")

    shop.identify(1024, "noor", email=NEW, email_verified=True)
    start_confirmed_changes()

    assert noor.listed()["changes"] == []
    assert AddressApp(NEW).orders() == []


def test_only_the_last_of_several_confirmed_addresses_starts_a_change(noor, shop):
    for hour, box in ((1000, NEW), (1010, f"later.{NEW}")):
        shop.identify(hour, "noor", email=box, email_verified=True)

    start_confirmed_changes()

    assert [change["adds"] for change in noor.listed()["changes"]] == [f"later.{NEW}"]


def test_rebuild_and_late_arrival_leave_a_confirmed_second_address_pending(shop):
    for hour, box in ((20, NEW), (10, BOX)):
        shop.identify(hour, "lin", email=box, email_verified=True)
    shop.order(30, "L-1", "lin")
    start_confirmed_changes()

    assert (AddressApp(BOX).orders(), AddressApp(NEW).orders()) == (["L-1"], [])
    call_command("rebuild", identities=True)
    assert (AddressApp(BOX).orders(), AddressApp(NEW).orders()) == (["L-1"], [])


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
