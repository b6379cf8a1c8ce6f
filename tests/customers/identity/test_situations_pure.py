"""Situations of ordinary companies, as far as the grouping decides them.

docs/reference/identity.md lists them with what customers, staff and senders see.
"""

import pytest

from customers.types import CLAIMED, CONFIRMED, OPENED, STATED
from tests.customers.identity.statements import (
    MAIN,
    alias,
    app,
    card,
    contract,
    device,
    equal,
    filed_on,
    mailbox,
    merge,
    number,
    order,
    outcome,
    phone,
    record_of,
    records,
    says,
    shop,
)

NOOR = shop("noor")
SAM = shop("sam")
APP_NOOR = app("noor")
FAMILY = mailbox("family")
WORK = mailbox("work")
CARD = card("card-1")
PHONE = phone("phone-1")
TABLET = device("tablet")
ORDER = order("order-1")


# Mailboxes ----------------------------------------------------------------------------


@pytest.mark.parametrize("evidence", [STATED, CONFIRMED])
def test_guest_checkout_before_or_after_an_account_is_on_the_record_of_the_account(evidence):
    """Both are filed on the mailbox, so the time of the account does not matter."""
    assert filed_on(ORDER, PHONE, TABLET, FAMILY) == FAMILY
    assert record_of(FAMILY) == "family@"
    assert record_of(FAMILY, says(NOOR, FAMILY, evidence)) == "family@ + shop/noor"


def test_typo_at_sign_up_that_is_the_mailbox_of_somebody_else_takes_nothing():
    statements = [says(SAM, FAMILY, CONFIRMED, at=5), says(NOOR, FAMILY, at=1)]

    assert outcome(*statements).records == {"shop/noor", "family@ + shop/sam"}


def test_typo_at_sign_up_gives_the_mailbox_back_when_its_owner_proves_it():
    typo = says(NOOR, FAMILY, at=1)

    assert records(typo, says(SAM, FAMILY, at=2)) == {"family@ + shop/noor", "shop/sam"}
    assert records(typo, says(SAM, FAMILY, OPENED, at=3)) == {"shop/noor", "family@ + shop/sam"}


def test_corrected_typo_leaves_the_mailbox_of_the_stranger():
    typo = says(NOOR, FAMILY, at=1, is_current=False)

    assert records(typo, says(NOOR, WORK, at=2)) == {"family@", "shop/noor + work@"}


@pytest.mark.parametrize(
    ("noor_evidence", "sam_evidence", "holder"),
    [
        pytest.param(STATED, STATED, "shop/noor", id="neither proved it: the first"),
        pytest.param(STATED, CONFIRMED, "shop/sam", id="one proved it: that one"),
        pytest.param(CONFIRMED, CONFIRMED, "shop/noor", id="both proved it: the first"),
    ],
)
def test_family_mailbox_with_two_accounts_is_on_one_record(noor_evidence, sam_evidence, holder):
    links = [says(NOOR, FAMILY, noor_evidence, at=1), says(SAM, FAMILY, sam_evidence, at=2)]

    assert record_of(FAMILY, *links) == f"family@ + {holder}"


def test_two_people_who_proved_one_mailbox_are_joined_only_by_a_person():
    links = [says(NOOR, FAMILY, CONFIRMED, at=1), says(SAM, FAMILY, CONFIRMED, at=2)]

    assert len(records(*links)) == 2
    assert records(*links, merge(NOOR, SAM, at=3)) == {"family@ + shop/noor + shop/sam"}


def test_shop_app_and_loyalty_with_one_mailbox_are_one_customer_at_once():
    loyalty = number("club", "1", MAIN)
    links = [says(NOOR, FAMILY, at=1), says(APP_NOOR, FAMILY, at=2), says(loyalty, FAMILY, at=3)]

    assert records(*links) == {"app/noor + club/1 + family@ + shop/noor"}


def test_agent_who_books_for_guests_stays_apart_from_them():
    """Each guest has her own account; the agent's mailbox stays with the agent."""
    agent, office = shop("agent"), mailbox("office")
    guests = [shop(f"guest-{place}") for place in range(3)]
    links = [says(guest, office, at=at) for at, guest in enumerate(guests, start=2)]

    grouped = outcome(says(agent, office, CONFIRMED, at=9), *links)

    assert grouped.records == {
        "office@ + shop/agent",
        "shop/guest-0",
        "shop/guest-1",
        "shop/guest-2",
    }


def test_mailbox_of_the_company_with_many_accounts_belongs_to_the_first():
    accounts = [shop(f"{place:03}") for place in range(200)]
    links = [says(account, mailbox("info"), at=at) for at, account in enumerate(accounts)]

    grouped = outcome(*links)

    assert len(grouped.records) == 200
    assert "info@ + shop/000" in grouped.records
    assert len(grouped.contested) == 199


def test_recycled_mailbox_does_not_lead_to_the_record_of_its_earlier_holder():
    """The next period of the mailbox is another identifier."""
    recycled = mailbox("family", is_placeholder=False)._replace(value="family@ since 2027")
    links = [says(NOOR, FAMILY, CONFIRMED, at=1), says(SAM, recycled, at=400)]

    assert records(*links) == {"family@ + shop/noor", "family@ since 2027 + shop/sam"}


def test_recycled_phone_number_waits_until_the_new_holder_confirms_it():
    links = [says(NOOR, PHONE, at=1), says(SAM, PHONE, at=400)]

    assert outcome(*links).ambiguous == {"phone-1"}
    assert record_of(PHONE, *links, says(SAM, PHONE, CONFIRMED, 401)) == "phone-1 + shop/sam"


# Logins and contracts -----------------------------------------------------------------


def test_one_person_with_two_logins_has_two_records_until_she_joins_them():
    links = [says(NOOR, FAMILY, CONFIRMED, at=1), says(shop("noor-2"), WORK, CONFIRMED, at=2)]

    assert records(*links) == {"family@ + shop/noor", "shop/noor-2 + work@"}
    assert records(*links, merge(NOOR, shop("noor-2"), at=3)) == {
        "family@ + shop/noor + shop/noor-2 + work@"
    }


def test_two_contracts_of_one_customer_are_one_record():
    links = [says(contract("1"), FAMILY), says(contract("2"), FAMILY), says(NOOR, FAMILY)]

    assert records(*links) == {"contracts/1 + contracts/2 + family@ + shop/noor"}


def test_four_season_passes_on_the_mailbox_of_a_parent_are_her_record():
    passes = [card(f"pass-{place}") for place in range(4)]
    links = [says(FAMILY, end) for end in passes]

    assert records(*links, says(NOOR, FAMILY, CONFIRMED)) == {
        "family@ + pass-0 + pass-1 + pass-2 + pass-3 + shop/noor"
    }


def test_user_id_that_is_the_address_joins_nothing_else_than_the_mailbox():
    """An account and a mailbox with the same text are one mailbox before they get here."""
    assert filed_on(FAMILY, TABLET) == FAMILY
    assert records(says(FAMILY, TABLET), says(FAMILY, CARD)) == {"card-1 + family@ + tablet"}


def test_two_shops_in_main_with_equal_numbers_keep_strangers_apart():
    noor, stranger = number("a", "5", MAIN), number("b", "5", MAIN)
    links = [says(noor, FAMILY), says(stranger, WORK), equal(noor, stranger)]

    grouped = outcome(*links)

    assert grouped.records == {"a/5 + family@", "b/5 + work@"}
    assert grouped.contested == {"a/5 / b/5"}


def test_import_with_shared_mailboxes_contests_each_but_joins_none():
    links = []
    for place in range(50):
        shared = mailbox(f"customer-{place}")
        links += [
            says(number("a", f"1-{place}", MAIN), shared, at=1),
            says(number("b", f"2-{place}", MAIN), shared, at=2),
        ]

    grouped = outcome(*links)

    assert len(grouped.records) == 100
    assert len(grouped.contested) == 50


def test_alias_of_the_shop_moves_a_customer_to_her_new_number():
    assert records(says(NOOR, FAMILY), alias(NOOR, shop("noor-2"))) == {
        "family@ + shop/noor + shop/noor-2"
    }


def test_alias_with_a_stolen_cookie_is_a_claim_and_moves_nothing():
    assert records(says(NOOR, FAMILY), alias(NOOR, SAM, CLAIMED)) == {
        "family@ + shop/noor",
        "shop/sam",
    }
