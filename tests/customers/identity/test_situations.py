"""Situations of accounts and mailboxes, through the wire: what staff and senders see.

docs/reference/identity.md has them as a table.
"""

import pytest

from customers.actions.reviews import undo_merge
from customers.identity import decisions
from customers.identity.addresses import MAX_MAILBOXES
from customers.models import Identifier, Merge
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

BOX, WORK = "noor@example.com", "noor@work.example.com"


@pytest.fixture
def app():
    return WireSource("App", ids="app", addresses="checked")


def test_guest_checkout_before_an_account_is_on_its_record(shop):
    shop.order(1, "A-1", email=BOX)

    warnings = shop.identify(2, "u-1", email=BOX)

    record = record_of(shop.account("u-1"))
    assert (record_of(email(BOX)), warnings) == (record, "")
    assert timeline(shop, record) == ["Order Completed", "identify"]


def test_guest_checkout_after_an_account_is_on_its_record(shop):
    shop.identify(1, "u-1", email=BOX)

    shop.order(2, "A-1", email=BOX)

    assert timeline(shop, record_of(shop.account("u-1"))) == ["identify", "Order Completed"]


def test_typo_that_is_the_mailbox_of_another_customer_changes_her_record_in_nothing(shop):
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")

    warnings = shop.identify(3, "sam", email=BOX)

    assert warnings == "contested;count=1"
    assert timeline(shop, record_of(email(BOX))) == ["identify", "Order Completed"]
    assert timeline(shop, record_of(shop.account("sam"))) == ["identify"]


def test_typo_gives_the_mailbox_to_its_owner_when_she_proves_it(shop, app):
    shop.identify(1, "sam", email=BOX)
    owner = WireSource("Club", ids="shop", addresses="checked")

    assert owner.identify(2, "noor", email=BOX) == ""

    assert are_one(owner.account("noor"), email(BOX))
    assert not are_one(shop.account("sam"), email(BOX))


def test_corrected_typo_leaves_the_mailbox_of_the_stranger(shop):
    shop.identify(1, "sam", email=BOX)

    shop.identify(2, "sam", email="sam@example.com")

    assert are_one(shop.account("sam"), email("sam@example.com"))
    assert not are_one(shop.account("sam"), email(BOX))


def test_family_mailbox_without_accounts_is_one_record(shop):
    shop.order(1, "A-1", email=BOX)
    shop.order(2, "A-2", email=BOX)

    assert timeline(shop, record_of(email(BOX))) == ["Order Completed"] * 2


def test_second_account_of_a_family_mailbox_has_its_own_record_and_orders(shop):
    shop.identify(1, "noor", email=BOX)
    warnings = shop.identify(2, "sam", email=BOX)
    shop.order(3, "A-1", "sam", email=BOX)

    assert warnings == "contested;count=1"
    assert timeline(shop, record_of(shop.account("sam"))) == ["identify", "Order Completed"]
    assert shown_identifiers(shop, record_of(email(BOX))) == {
        "user_id noor",
        f"email {BOX}",
    }


def test_two_accounts_that_proved_a_mailbox_stay_apart_and_the_first_keeps_it(app):
    app.identify(1, "noor", email=BOX)

    assert app.identify(2, "sam", email=BOX) == "contested;count=1"
    assert are_one(app.account("noor"), email(BOX))
    assert not are_one(app.account("sam"), email(BOX))


def test_late_event_with_an_earlier_time_gets_the_mailbox(shop):
    shop.identify(5, "sam", email=BOX)
    other = WireSource("Kiosk shop", "site", ids="shop")

    assert other.identify(1, "noor", email=BOX) == ""

    assert are_one(other.account("noor"), email(BOX))
    assert not are_one(shop.account("sam"), email(BOX))


def test_one_person_with_two_logins_is_joined_by_staff_and_apart_after_the_undo(shop):
    shop.identify(1, "noor", email=BOX)
    shop.identify(2, "noor-2", email=WORK)
    first, second = record_of(email(BOX)), record_of(email(WORK))

    decisions.merge_records(first, second, actor="staff:lin", now=NOON, reason="called")
    assert are_one(email(BOX), email(WORK), shop.account("noor-2"))

    merge = Merge.objects.get()
    undo_merge(customer_id=merge.merged_into_id, merge_id=merge.pk, actor="staff:lin", now=NOON)
    assert (record_of(email(BOX)), record_of(email(WORK))) == (first, second)
    assert "identify" in timeline(shop, second)


def test_shop_app_and_loyalty_with_one_mailbox_are_one_customer_at_once(shop, app):
    loyalty = WireSource("Loyalty", "site", ids="loyalty")

    warnings = [source.identify(1, "7", email=BOX) for source in (shop, app, loyalty)]

    assert warnings == ["", "", ""]
    assert are_one(*(source.account("7") for source in (shop, app, loyalty)), email(BOX))


def test_two_shops_in_main_with_equal_numbers_keep_strangers_apart():
    first, second = WireSource("Shop A", "site"), WireSource("Shop B", "site")
    first.identify(1, "42", email=BOX)

    assert second.identify(2, "42", email=WORK) == ""
    assert not are_one(first.account("42"), second.account("42"))


def test_two_shops_in_main_with_an_equal_number_and_mailbox_are_one_customer():
    first, second = WireSource("Shop A", "site"), WireSource("Shop B", "site")
    first.identify(1, "42", email=BOX)

    assert second.identify(2, "42", email=BOX) == ""
    assert are_one(first.account("42"), second.account("42"), email(BOX))


def test_user_id_that_is_the_address_is_the_mailbox(shop):
    shop.order(1, "A-1", email=BOX)

    shop.identify(2, BOX, name="Noor")

    assert timeline(shop, record_of(email(BOX))) == ["Order Completed", "identify"]
    assert not Identifier.objects.filter(kind="user_id").exists()


def test_alias_of_the_shop_moves_a_customer_to_her_new_number(shop):
    shop.identify(1, "old", email=BOX)
    old_number = {"externalIds": [{"type": "user_id", "id": "old"}]}
    shop.send(shop.event("alias", 2, "new", context=old_number, previousId="cookie"))

    assert are_one(shop.account("old"), shop.account("new"), email(BOX))


def test_previous_id_of_an_alias_that_is_an_account_of_the_shop_joins_it(shop):
    shop.identify(1, "old", email=BOX)

    warnings = shop.send(shop.event("alias", 2, "new", previousId="old"))

    assert warnings == ""
    assert are_one(shop.account("old"), shop.account("new"), email(BOX))
    assert not Identifier.objects.filter(kind="anonymous_id").exists()


def test_previous_id_of_an_alias_that_is_no_account_is_a_browser(shop):
    shop.track(1, anonymousId="cookie", name="Ride Entered")

    assert shop.send(shop.event("alias", 2, "noor", previousId="cookie")) == ""

    assert timeline(shop, record_of(shop.account("noor"))) == ["Ride Entered", "alias"]


def test_alias_of_a_till_joins_no_accounts_and_says_so(shop):
    till = WireSource("Till", "till", ids="shop")
    till.track(1, "old")

    assert till.send(till.event("alias", 2, "new", previousId="old")) == "alias_refused;count=1"

    assert record_of(till.account("old")) != record_of(till.account("new"))


def test_alias_of_a_browser_is_a_claim_and_moves_nothing(shop):
    shop.identify(1, "noor", email=BOX)
    browser = WireSource("Web", "site", is_secret=False)

    warnings = browser.send(
        browser.event("alias", 2, "thief", previousId="noor", anonymousId="cookie")
    )

    assert warnings == ""
    assert timeline(shop, record_of(email(BOX))) == ["identify"]


def test_import_dated_2015_takes_no_mailbox(shop):
    shop.identify(1, "noor", email=BOX)
    old = WireSource("Old CRM", "import", ids="shop")

    warnings = old.identify(-100_000, "77", email=BOX)

    assert warnings == ""
    assert are_one(shop.account("noor"), email(BOX))
    assert not are_one(old.account("77"), email(BOX))


def test_partner_only_notes_the_mailbox_of_a_customer(shop):
    shop.identify(1, "noor", email=BOX)
    partner = WireSource("Hotel", "partner")

    assert partner.identify(2, "guest-9", email=BOX) == ""
    assert timeline(shop, record_of(email(BOX))) == ["identify"]
    assert not are_one(partner.account("guest-9"), email(BOX))


def test_agent_who_books_for_guests_keeps_her_record_to_herself(shop):
    shop.identify(1, "agent", email="agent@example.com")
    # More guests than mailboxes that make a placeholder.
    guests = MAX_MAILBOXES + 2
    for number in range(guests):
        shop.order(2 + number, f"A-{number}", "agent", email=f"guest{number}@example.com")

    orders = ["Order Completed"] * guests
    assert timeline(shop, record_of(shop.account("agent"))) == ["identify", *orders]
    assert not are_one(shop.account("agent"), email("guest1@example.com"))


def test_mailbox_of_the_company_belongs_to_its_first_account(shop):
    shop.identify(1, "first", email="info@example.com")
    for number in range(8):
        shop.identify(2 + number, f"u-{number}", email="info@example.com")

    assert shown_identifiers(shop, record_of(email("info@example.com"))) == {
        "user_id first",
        "email info@example.com",
    }


def test_placeholder_that_is_found_late_gives_its_orders_to_their_mailboxes(shop):
    boxes = [f"guest{number}@example.com" for number in range(7)]
    for number, box in enumerate(boxes):
        shop.identify(number, "guest-checkout", email=box)
        shop.order(number, f"A-{number}", "guest-checkout", email=box)

    assert len({record_of(email(box)) for box in boxes}) == 7
    for box in boxes:
        assert "Order Completed" in timeline(shop, record_of(email(box)))


def test_desk_order_with_her_mailbox_is_on_her_record_at_once(shop):
    shop.identify(1, "noor", email=BOX)
    desk = WireSource("Desk", "desk")

    assert desk.order(2, "D-1", email=BOX) == ""
    assert timeline(shop, record_of(shop.account("noor"))) == ["identify", "Order Completed"]
