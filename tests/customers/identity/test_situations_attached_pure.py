"""Situations of cards, phones, desks and mistakes, as far as the grouping decides them.

docs/reference/identity.md lists them with what customers, staff and senders see.
"""

import pytest

from customers.types import CLAIMED, CONFIRMED, NOTED, OPENED, STATED
from tests.customers.identity.statements import (
    MAIN,
    card,
    device,
    equal,
    filed_on,
    mailbox,
    merge,
    number,
    order,
    outcome,
    own_proof,
    phone,
    record_of,
    records,
    says,
    separate,
    shop,
    site,
    till,
)

NOOR = shop("noor")
SAM = shop("sam")
FAMILY = mailbox("family")
WORK = mailbox("work")
CARD = card("card-1")
PHONE = phone("phone-1")
TABLET = device("tablet")
ORDER = order("order-1")


# Cards --------------------------------------------------------------------------------


def test_couple_with_one_card_keeps_it_on_the_record_of_the_first_who_proved_it():
    links = [says(NOOR, CARD, CONFIRMED, at=2), says(SAM, CARD, CONFIRMED, at=3)]

    grouped = outcome(*links)

    assert grouped.records == {"card-1 + shop/noor", "shop/sam"}
    assert grouped.contested == {"card-1 / shop/sam"}


def test_replacement_card_is_attached_beside_the_old_one():
    assert records(says(NOOR, CARD, at=1), says(NOOR, card("card-2"), at=400)) == {
        "card-1 + card-2 + shop/noor"
    }


def test_card_mistyped_at_the_till_does_not_leave_its_owner():
    links = [says(NOOR, CARD, at=5), says(SAM, CARD, NOTED, at=1)]

    assert outcome(*links).records == {"card-1 + shop/noor", "shop/sam"}
    assert not outcome(*links).contested


def test_card_that_a_stranger_stated_first_goes_to_the_customer_who_proves_it():
    squatter = [says(SAM, CARD, CLAIMED, at=1), says(SAM, CARD, at=2)]

    assert record_of(CARD, *squatter) == "card-1 + shop/sam"
    assert record_of(CARD, *squatter, says(NOOR, CARD, CONFIRMED, 3)) == "card-1 + shop/noor"


def test_child_takes_her_card_along_when_staff_take_it_off_the_parent():
    links = [says(NOOR, CARD, CONFIRMED, at=1), says(SAM, CARD, CONFIRMED, at=400)]

    assert record_of(CARD, *links) == "card-1 + shop/noor"
    assert record_of(CARD, *links, separate(NOOR, CARD, at=401)) == "card-1 + shop/sam"


# Phones and devices -------------------------------------------------------------------


def test_landline_with_two_mailboxes_is_attached_to_none_of_them():
    grouped = outcome(says(FAMILY, PHONE), says(WORK, PHONE))

    assert grouped.records == {"family@", "work@", "phone-1"}
    assert grouped.ambiguous == {"phone-1"}


def test_history_of_a_landline_moves_with_it_when_one_mailbox_confirms_it():
    links = [says(FAMILY, PHONE), says(WORK, PHONE), says(WORK, PHONE, CONFIRMED)]

    assert record_of(PHONE, *links) == "phone-1 + work@"


def test_switchboard_with_two_hundred_holders_joins_none_of_them():
    holders = [shop(f"{place:03}") for place in range(200)]

    grouped = outcome(*(says(holder, PHONE) for holder in holders))

    assert len(grouped.records) == 201
    assert grouped.ambiguous == {"phone-1"}


def test_typo_in_a_phone_number_does_not_take_the_number_of_its_owner():
    confirmed = says(NOOR, PHONE, CONFIRMED, at=5)

    assert record_of(PHONE, confirmed, says(SAM, PHONE, at=1)) == "phone-1 + shop/noor"


@pytest.mark.parametrize("evidence", [STATED, CONFIRMED])
def test_tablet_of_a_family_carries_the_activity_of_nobody(evidence):
    links = [says(NOOR, TABLET, evidence, at=1), says(SAM, TABLET, at=2)]

    assert record_of(TABLET, *links) == "tablet"
    assert record_of(NOOR, *links) == "shop/noor"


def test_kiosk_that_names_many_accounts_joins_none_of_them():
    names = [says(shop(str(place)), TABLET, NOTED) for place in range(5)]

    assert len(records(*names)) == 6


# Desks, tills, imports and partners ---------------------------------------------------


@pytest.mark.parametrize(
    ("named", "record"),
    [
        pytest.param(FAMILY, "card-1 + family@ + phone-1 + shop/noor", id="her e-mail"),
        pytest.param(PHONE, "card-1 + family@ + phone-1 + shop/noor", id="her phone"),
        pytest.param(CARD, "card-1 + family@ + phone-1 + shop/noor", id="her card"),
        pytest.param(NOOR, "card-1 + family@ + phone-1 + shop/noor", id="her record open"),
    ],
)
def test_order_that_the_desk_takes_is_on_her_record(named, record):
    statements = [says(NOOR, FAMILY), says(NOOR, PHONE), says(NOOR, CARD)]

    assert filed_on(named, ORDER) == named
    assert record_of(named, *statements, says(named, ORDER, NOTED)) == record


def test_till_that_types_her_number_finds_her_record():
    statements = [says(NOOR, FAMILY), equal(NOOR, till("noor"))]

    assert record_of(till("noor"), *statements) == "family@ + shop/noor + till/noor"


@pytest.mark.parametrize("evidence", [NOTED, CLAIMED])
def test_till_that_comes_late_with_an_earlier_time_takes_nothing(evidence):
    statements = [says(NOOR, FAMILY, at=9), says(NOOR, CARD, at=9)]
    late = [says(SAM, FAMILY, evidence, at=1), says(SAM, CARD, evidence, at=1)]

    grouped = outcome(*statements, *late)

    assert grouped.records == {"card-1 + family@ + shop/noor", "shop/sam"}
    assert not grouped.contested


@pytest.mark.parametrize(
    ("import_evidence", "holder"),
    [
        pytest.param(NOTED, "shop/noor", id="of another system: it takes nothing"),
        pytest.param(STATED, "shop/sam", id="of own customers: it was there first"),
    ],
)
def test_import_dated_2015(import_evidence, holder):
    imported = says(SAM, FAMILY, import_evidence, at=-4_000)

    assert record_of(FAMILY, says(NOOR, FAMILY, at=1), imported) == f"family@ + {holder}"


def test_import_dated_2015_takes_no_proved_mailbox():
    statements = [says(NOOR, FAMILY, OPENED, at=1), says(SAM, FAMILY, at=-4_000)]

    assert record_of(FAMILY, *statements) == "family@ + shop/noor"


def test_partner_key_joins_nothing_of_ours():
    partner = number("partner", "1", MAIN, is_noted=True)
    statements = [says(NOOR, FAMILY), says(partner, FAMILY, NOTED), says(partner, NOOR, NOTED)]

    assert records(*statements) == {"family@ + shop/noor", "partner/1"}


# Placeholders, mistakes of staff ------------------------------------------------------


def test_placeholder_found_late_leaves_the_mailboxes_that_it_had_joined():
    mailboxes = [mailbox(f"stranger-{place}") for place in range(6)]
    late = shop("guest", is_placeholder=True)

    before = records(*(says(shop("guest"), end) for end in mailboxes))

    assert len(before) == 1
    assert len(records(*(says(late, end) for end in mailboxes))) == 7


def test_account_made_a_placeholder_on_purpose_keeps_what_its_owner_proved():
    placeholder = shop("noor", is_placeholder=True)
    attack = [says(placeholder, mailbox(f"attack-{place}")) for place in range(6)]

    grouped = records(
        *attack, says(placeholder, FAMILY, CONFIRMED), says(placeholder, CARD, CONFIRMED)
    )

    assert "card-1 + family@ + shop/noor" in grouped
    assert len(grouped) == 7


def test_merge_by_mistake_undone_after_a_year_gives_each_her_own():
    statements = [says(NOOR, FAMILY, at=1), says(SAM, WORK, at=2)]
    year = [says(NOOR, CARD, at=100), says(SAM, PHONE, at=200), says(site("sam"), WORK, at=300)]

    joined = records(*statements, *year, merge(NOOR, SAM, at=3))

    assert joined == {"card-1 + family@ + phone-1 + shop/noor + shop/sam + site/sam + work@"}
    assert records(*statements, *year) == {
        "card-1 + family@ + shop/noor",
        "phone-1 + shop/sam + site/sam + work@",
    }


def test_customer_joins_again_what_staff_separated_by_mistake():
    statements = [says(NOOR, FAMILY, at=1), separate(NOOR, FAMILY, at=2)]

    assert records(*statements) == {"family@", "shop/noor"}
    assert records(*statements, own_proof(NOOR, FAMILY, at=3)) == {"family@ + shop/noor"}
