"""Situations of cards, phones, contracts and devices, through the wire."""

import pytest

from customers.identity import decisions
from customers.models import Identifier
from tests.customers.identity.company import (
    WireSource,
    are_one,
    email,
    record_of,
    shown_identifiers,
    timeline,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db

BOX = "noor@example.com"
CARD, PHONE = "LF-7001", "+31612345679"


def card(value):
    return "card", Identifier.objects.get(kind="card", value__icontains=value.split("-")[1]).value


def test_two_contracts_of_one_customer_are_one_record():
    contracts = WireSource("Contracts", "site", ids="contracts", per_person="several")

    warnings = [contracts.identify(hour, f"C-{hour}", email=BOX) for hour in (1, 2)]

    assert warnings == ["", ""]
    assert are_one(contracts.account("C-1"), contracts.account("C-2"), email(BOX))
    assert timeline(contracts, record_of(email(BOX))) == ["identify", "identify"]


def test_four_season_passes_on_the_mailbox_of_a_parent_are_her_record():
    passes = WireSource("Passes", "site", ids="passes", per_person="several")
    for number in range(4):
        passes.identify(number, f"P-{number}", email=BOX)

    passes.track(9, "P-3")

    assert timeline(passes, record_of(email(BOX))) == ["identify"] * 4 + ["Ride Entered"]


def test_card_of_a_couple_is_on_the_record_that_stated_it_first(shop, till):
    shop.identify(1, "noor", card=CARD)
    warnings = shop.identify(2, "sam", card=CARD)

    till.track(3, name="Purchase", traits={"card": CARD})

    assert warnings == "contested;count=1"
    assert timeline(shop, record_of(shop.account("noor"))) == ["identify", "Purchase"]
    assert timeline(shop, record_of(shop.account("sam"))) == ["identify"]


def test_card_that_a_child_takes_along_is_with_its_first_holder_until_it_is_proved(shop):
    shop.identify(1, "mother", card=CARD)
    issuer = WireSource("Card desk", "site", ids="shop", addresses="checked")

    warnings = issuer.identify(2, "child", card=CARD)

    assert warnings == ""
    assert are_one(issuer.account("child"), card(CARD))
    assert not are_one(shop.account("mother"), card(CARD))


def test_card_that_the_till_mistyped_is_a_record_of_its_own(shop, till):
    shop.identify(1, "noor", card=CARD)

    till.track(2, name="Purchase", traits={"card": "LF-7010"})

    assert timeline(shop, record_of(shop.account("noor"))) == ["identify"]
    assert not are_one(card("LF-7010"), card(CARD))


def test_landline_of_two_people_is_attached_to_neither(shop):
    shop.identify(1, "noor", phone=PHONE)
    warnings = shop.identify(2, "sam", phone=PHONE)

    assert warnings == "contested;count=1"
    phone = Identifier.objects.get(kind="phone")
    assert phone.is_shared
    assert not are_one(shop.account("noor"), ("phone", phone.value))
    assert not are_one(shop.account("sam"), ("phone", phone.value))


def test_mistyped_phone_of_another_customer_takes_a_confirmed_one_from_nobody(shop):
    shop.identify(1, "noor", email=BOX, phone=PHONE)
    phone, mailbox = (Identifier.objects.get(kind=kind) for kind in ("phone", "email"))
    decisions.decide("merge", phone.pk, mailbox.pk, actor="staff:lin", now=NOON)

    assert shop.identify(2, "sam", email="sam@example.com", phone=PHONE) == "contested;count=1"

    assert are_one(("phone", phone.value), email(BOX))


def test_activity_of_a_browser_is_on_the_record_of_its_only_account(shop):
    shop.track(1, name="Page Viewed", anonymousId="browser")
    shop.track(2, "noor", anonymousId="browser")

    assert timeline(shop, record_of(shop.account("noor"))) == ["Page Viewed", "Ride Entered"]


def test_tablet_of_two_accounts_is_on_neither(shop):
    shop.track(1, name="Page Viewed", anonymousId="tablet")
    for user in ("noor", "sam"):
        assert shop.track(2, user, anonymousId="tablet") == ""

    for user in ("noor", "sam"):
        assert timeline(shop, record_of(shop.account(user))) == ["Ride Entered"]


def test_kiosk_uses_a_device_for_one_day_only(shop):
    kiosk = WireSource("Kiosk", "kiosk", is_shared=True)
    kiosk.track(1, name="Map Opened", anonymousId="kiosk-1")
    kiosk.track(30, name="Map Opened", anonymousId="kiosk-1")

    assert Identifier.objects.filter(kind="anonymous_id").count() == 2


def test_replaced_card_stays_on_the_record_with_the_new_one(shop, till):
    shop.identify(1, "noor", card=CARD)
    shop.identify(2, "noor", card="LF-8002")

    till.track(3, name="Purchase", traits={"card": CARD})

    noor = record_of(shop.account("noor"))
    assert timeline(shop, noor) == ["identify", "identify", "Purchase"]
    assert len(shown_identifiers(shop, noor)) == 3


def test_number_of_a_till_is_on_the_account_that_gets_its_own_record_later(shop):
    desk = WireSource("Desk", "till", ids="shop")
    desk.track(1, "2", name="Purchase", traits={"email": BOX})
    # The second number of this event has no record of its own yet.
    shop.track(2, "1", context={"externalIds": [{"type": "user_id", "id": "2"}]})

    shop.track(4, "2")

    assert are_one(shop.account("2"), desk.account("2"))
    assert not are_one(shop.account("1"), shop.account("2"))
