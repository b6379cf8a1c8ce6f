"""Addresses that sources confirm, or state, after the proof of another address of the customer."""

import pytest
from django.utils import timezone

from customers.actions import source_address_changes
from customers.models import AddressChange
from tests.customers.identity.address_app import AddressApp, advance
from tests.customers.identity.company import WireSource, record_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]
BOX, NEW, SAM = "noor@example.com", "noor.new@example.com", "sam@example.com"
both_evidences = pytest.mark.parametrize("evidence", [{}, {"email_verified": True}])


def start(limit: int = 100) -> None:
    source_address_changes.start_confirmed_changes(now=timezone.now(), limit=limit)


@pytest.fixture
def noor(account):
    return AddressApp(BOX)


def identify_with_card(shop: WireSource, hour: float, **traits: object) -> None:
    context = {"externalIds": [{"id": "L77", "type": "loyalty"}]}
    shop.send(shop.event("identify", hour, "noor", traits=traits, context=context))


@both_evidences
def test_second_address_waits_although_it_comes_with_a_new_loyalty_number(noor, shop, evidence):
    identify_with_card(shop, 1000, email=NEW, **evidence)
    assert AddressApp(NEW).orders() == []
    assert record_of(("email", NEW)) != record_of(("email", BOX))


@both_evidences
def test_second_address_waits_although_the_loyalty_number_came_after_the_proof(
    noor, shop, evidence
):
    identify_with_card(shop, 3)
    identify_with_card(shop, 1000, email=NEW, **evidence)
    assert AddressApp(NEW).orders() == []


@both_evidences
def test_second_address_of_a_former_number_waits(noor, shop, evidence):
    shop.order(3, "B-2", "noor2")
    shop.send(shop.event("alias", 4, "noor", previousId="noor2"))
    shop.identify(1000, "noor2", email=NEW, **evidence)
    assert AddressApp(NEW).orders() == []


@both_evidences
def test_second_address_of_the_equal_number_of_another_source_waits(noor, shop, evidence):
    app = WireSource("App", "app", ids="shop")
    app.identify(500, "noor", email=BOX)
    app.identify(1000, "noor", email=NEW, **evidence)
    assert AddressApp(NEW).orders() == []


def test_confirmed_address_takes_effect_without_a_sign_in_with_it(noor, shop):
    shop.identify(1000, "noor", email=NEW, email_verified=True)
    start()
    advance(73)
    assert AddressChange.objects.get().state == "applied"


def test_confirmed_address_replaces_one_that_the_same_source_confirmed(shop):
    shop.identify(1, "noor", email=BOX, email_verified=True)
    shop.order(2, "A-1", "noor")
    AddressApp(BOX)
    shop.identify(1000, "noor", email=NEW, email_verified=True)
    AddressApp(NEW)
    start()
    advance(73)
    assert AddressApp(NEW).states() == {BOX: "removed", NEW: "current"}


def test_change_starts_between_confirmations_of_one_time(shop):
    for box in (BOX, NEW):
        shop.identify(10, "noor", email=box, email_verified=True)
    start()
    assert AddressChange.objects.count() == 1


def start_after_others(shop: WireSource) -> None:
    """Let the shop confirm another address of Sam, and read one address at a time."""
    shop.identify(1, "sam", email=SAM)
    AddressApp(SAM)
    shop.identify(1002, "sam", email="sam.new@example.com", email_verified=True)
    start(limit=1)


def test_addresses_that_start_no_change_hold_up_no_other(noor, shop):
    # The source names the earlier address again, so the newer one is no change any more.
    shop.identify(1000, "noor", email=NEW, email_verified=True)
    shop.identify(1001, "noor", email=BOX)
    start_after_others(shop)
    assert AddressChange.objects.count() == 1


def test_frozen_change_holds_up_no_other(noor, shop):
    shop.identify(1000, "noor", email=NEW, email_verified=True)
    start()
    AddressChange.objects.update(state="frozen")
    shop.identify(1001, "noor", email="third@example.com", email_verified=True)
    start_after_others(shop)
    assert AddressChange.objects.count() == 2


def test_signed_in_holder_keeps_an_account_after_an_earlier_confirmation_of_another_address(shop):
    shop.identify(10, "noor", email=BOX, email_verified=True)
    shop.order(11, "A-1", "noor")
    assert AddressApp(BOX).orders() == ["A-1"]

    shop.identify(5, "noor", email=NEW, email_verified=True)

    assert AddressApp(BOX).orders() == ["A-1"]
