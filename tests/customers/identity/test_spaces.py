"""Spaces of numbers: equal numbers, different numbers, and the space `main`."""

import pytest

from customers.identity.links import LinkKind
from customers.types import CLAIMED, CONFIRMED, NOTED
from tests.customers.identity.statements import (
    MAIN,
    app,
    equal,
    mailbox,
    number,
    outcome,
    records,
    says,
    shop,
    site,
)

NOOR = shop("noor")
SAM = shop("sam")
NOOR_CRM = shop("9", kind="external:crm")
FAMILY = mailbox("family")
WORK = mailbox("work")


def test_accounts_of_three_spaces_with_one_mailbox_are_one_customer():
    loyalty = number("club", "1", MAIN)
    statements = [says(end, FAMILY, at=at) for at, end in enumerate((NOOR, app("n"), loyalty))]

    assert records(*statements) == {"app/n + club/1 + family@ + shop/noor"}


def test_external_numbers_of_two_systems_do_not_limit_each_other():
    erp = shop("4", kind="external:erp")

    assert records(says(NOOR_CRM, FAMILY), says(erp, FAMILY), says(NOOR, FAMILY)) == {
        "family@ + shop/4 + shop/9 + shop/noor"
    }


def test_two_external_numbers_of_one_system_are_two_customers():
    other = shop("8", kind="external:crm")

    assert records(says(NOOR_CRM, FAMILY, at=1), says(other, FAMILY, at=2)) == {
        "family@ + shop/9",
        "shop/8",
    }


def test_equal_numbers_with_one_mailbox_are_one_customer_in_every_space():
    first, second = number("a", "5", MAIN), number("b", "5", MAIN)

    assert records(says(first, FAMILY), says(second, FAMILY)) == {"a/5 + b/5 + family@"}
    assert records(says(shop("5"), FAMILY), says(site("5"), FAMILY)) == {
        "family@ + shop/5 + site/5"
    }


def test_different_numbers_of_main_with_one_mailbox_stay_apart():
    first, second = number("a", "5", MAIN), number("b", "6", MAIN)

    assert records(says(first, FAMILY, at=1), says(second, FAMILY, at=2)) == {
        "a/5 + family@",
        "b/6",
    }


def test_equal_numbers_of_main_that_ever_named_one_mailbox_join():
    """Both named the mailbox of another customer, so both links are refused."""
    first, second, holder = (number(*of, MAIN) for of in (("a", "5"), ("b", "5"), ("a", "1")))
    statements = [says(holder, FAMILY, at=1), says(first, FAMILY, at=2), says(second, FAMILY, at=3)]

    assert records(*statements, equal(first, second, at=4)) == {"a/1 + family@", "a/5 + b/5"}


def test_mailbox_that_both_named_counts_after_it_was_replaced():
    first, second = number("a", "5", MAIN), number("b", "5", MAIN)
    before = [says(end, FAMILY, is_current=False) for end in (first, second)]
    now = [says(first, WORK), says(second, mailbox("home"))]

    assert records(*before, *now, equal(first, second)) == {"a/5 + b/5 + home@ + work@", "family@"}


@pytest.mark.parametrize("evidence", [NOTED, CLAIMED])
def test_mailbox_that_was_only_noted_or_claimed_is_none_in_common(evidence):
    first, second = number("a", "5", MAIN), number("b", "5", MAIN)
    named = [says(first, FAMILY), says(second, FAMILY, evidence)]

    assert records(*named, equal(first, second)) == {"a/5 + family@", "b/5"}


def test_equal_numbers_of_a_named_space_join_if_one_of_them_has_a_mailbox():
    assert records(says(shop("5"), FAMILY), equal(shop("5"), site("5"))) == {
        "family@ + shop/5 + site/5"
    }


def test_equal_numbers_of_a_named_space_with_two_mailboxes_are_contested():
    grouped = outcome(says(shop("5"), FAMILY), says(site("5"), WORK), equal(shop("5"), site("5")))

    assert grouped.records == {"family@ + shop/5", "site/5 + work@"}
    assert grouped.contested == {"shop/5 / site/5"}


def test_equal_number_that_stands_in_the_group_of_another_number_is_contested():
    grouped = outcome(
        says(site("5"), FAMILY, at=1),
        says(shop("6"), mailbox("home"), at=1),
        equal(shop("5"), site("5"), at=2),
        equal(shop("6"), site("5"), at=3),
    )

    assert grouped.records == {"family@ + shop/5 + site/5", "home@ + shop/6"}


def test_equal_numbers_of_different_spaces_do_not_join():
    grouped = outcome(equal(shop("5"), app("5")))

    assert grouped.records == {"shop/5", "app/5"}


def test_external_number_beside_a_user_id_is_the_same_account():
    assert records(says(NOOR, NOOR_CRM)) == {"shop/9 + shop/noor"}


def test_external_number_beside_a_user_id_joins_in_main_too():
    user, crm = number("a", "5", MAIN), number("a", "9", MAIN, kind="external:crm")

    assert records(says(user, FAMILY), says(user, crm)) == {"a/5 + a/9 + family@"}


def test_external_number_with_its_own_mailbox_is_not_joined_to_a_user_id_with_another_one():
    grouped = outcome(says(NOOR, FAMILY), says(NOOR_CRM, WORK), says(NOOR, NOOR_CRM))

    assert grouped.records == {"family@ + shop/noor", "shop/9 + work@"}
    assert grouped.contested == {"shop/9 / shop/noor"}


@pytest.mark.parametrize("evidence", [NOTED, CLAIMED])
def test_weak_statement_of_two_accounts_joins_nothing(evidence):
    assert records(says(NOOR, NOOR_CRM, evidence)) == {"shop/9", "shop/noor"}


def test_mailbox_decides_before_the_numbers_of_an_account():
    """The number came first, but it joins whoever has the mailbox."""
    statements = [
        says(NOOR, NOOR_CRM, at=1),
        says(SAM, FAMILY, at=2),
        says(NOOR_CRM, FAMILY, at=3),
    ]

    grouped = outcome(*statements)

    assert grouped.records == {"shop/noor", "family@ + shop/9 + shop/sam"}
    assert grouped.contested == {"shop/9 / shop/noor"}


def test_proved_link_of_two_accounts_stands_before_an_unproved_address():
    statements = [
        says(NOOR, NOOR_CRM, CONFIRMED, at=3),
        says(SAM, FAMILY, at=1),
        says(NOOR_CRM, FAMILY, at=2),
    ]

    grouped = outcome(*statements)

    assert grouped.records == {"shop/9 + shop/noor", "family@ + shop/sam"}
    assert grouped.contested == {"family@ / shop/9"}


def test_equal_number_is_no_proof_and_waits_for_the_addresses():
    statements = [says(shop("5"), FAMILY), says(site("5"), WORK)]

    assert records(*statements, equal(shop("5"), site("5"), CONFIRMED, at=0)) == {
        "family@ + shop/5",
        "site/5 + work@",
    }


def test_equal_numbers_join_by_a_mailbox_that_both_named_in_two_periods():
    """The periods are one, because none of them ended."""
    later = FAMILY._replace(value="family@ later")
    period = says(FAMILY, later, at=5, kind=LinkKind.PERIOD)
    replaced = [
        says(number("a", "1", MAIN), FAMILY, at=1, is_current=False),
        says(number("b", "1", MAIN), later, at=6, is_current=False),
    ]

    grouped = records(*replaced, period, equal(number("a", "1", MAIN), number("b", "1", MAIN)))

    assert grouped == {"a/1 + b/1", "family@ + family@ later"}


def test_equal_number_of_a_source_that_left_the_space_does_not_join():
    statements = [says(shop("5"), FAMILY), says(app("5"), FAMILY, is_current=False)]

    grouped = outcome(*statements, equal(shop("5"), app("5")))

    assert grouped.records == {"family@ + shop/5", "app/5"}
    assert not grouped.contested
