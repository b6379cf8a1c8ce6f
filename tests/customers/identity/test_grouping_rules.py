"""Rules of accounts and mailboxes: order of links, spaces, placeholders, contests."""

import pytest

from customers.identity.grouping import group
from customers.identity.links import IdentifierLink, IdentifierNode, LinkKind
from customers.types import CLAIMED, CONFIRMED, NOTED, OPENED, STATED
from tests.customers.identity.statements import (
    MAIN,
    SHOP_SPACE,
    app,
    card,
    contract,
    day,
    equal,
    mailbox,
    merge,
    number,
    order,
    outcome,
    phone,
    records,
    says,
    separate,
    shop,
    site,
    till,
)

NOOR = shop("noor")
SAM = shop("sam")
ZOE = shop("zoe")
NOOR_CRM = shop("9", kind="external:crm")
FAMILY = mailbox("family")
WORK = mailbox("work")


# Which link comes first ---------------------------------------------------------------


def test_earliest_of_two_stated_accounts_has_the_mailbox():
    assert records(says(NOOR, FAMILY, at=9), says(SAM, FAMILY, at=3)) == {
        "shop/noor",
        "family@ + shop/sam",
    }


def test_earliest_of_two_proofs_has_the_mailbox_whatever_their_strength():
    assert records(says(NOOR, FAMILY, CONFIRMED, at=9), says(SAM, FAMILY, OPENED, at=3)) == {
        "shop/noor",
        "family@ + shop/sam",
    }


def test_arrival_decides_between_links_of_the_same_moment():
    first = says(NOOR, FAMILY, at=1, arrival=2)
    second = says(SAM, FAMILY, at=1, arrival=1)

    assert records(first, second) == {"shop/noor", "family@ + shop/sam"}


def test_user_id_precedes_an_external_number_of_the_same_event():
    other_crm = shop("8", kind="external:crm")
    work = [says(NOOR, WORK, CONFIRMED), says(other_crm, WORK, CONFIRMED)]
    event = [says(NOOR, FAMILY, at=5), says(NOOR_CRM, FAMILY, at=5)]

    assert records(*work, *event) == {"family@ + shop/8 + shop/noor + work@", "shop/9"}


def test_refused_link_does_not_stop_the_next_one():
    statements = [says(SAM, FAMILY, at=1), says(NOOR, FAMILY, at=2), says(NOOR, WORK, at=3)]

    assert records(*statements) == {"family@ + shop/sam", "shop/noor + work@"}


def test_weak_link_beside_a_strong_one_changes_nothing():
    strong, weak = says(NOOR, FAMILY), says(NOOR, FAMILY, NOTED, at=0)

    grouped = outcome(strong, weak)

    assert grouped.records == {"family@ + shop/noor"}
    assert not grouped.contested


# Replaced addresses -------------------------------------------------------------------


def test_replaced_unproved_address_leaves_the_account():
    old = says(NOOR, FAMILY, at=1, is_current=False)

    grouped = outcome(old, says(NOOR, WORK, at=2))

    assert grouped.records == {"family@", "shop/noor + work@"}
    assert not grouped.contested


def test_replaced_proved_address_stays_with_the_account():
    old = says(NOOR, FAMILY, CONFIRMED, at=1, is_current=False)

    assert records(old, says(NOOR, WORK, at=2)) == {"family@ + shop/noor + work@"}


def test_mailbox_that_an_account_replaced_is_free_for_the_next_account():
    old = says(NOOR, FAMILY, at=1, is_current=False)

    assert records(old, says(SAM, FAMILY, at=2)) == {"shop/noor", "family@ + shop/sam"}


# Noted numbers ------------------------------------------------------------------------


def test_noted_number_finds_nobody_in_main():
    typed = number("till", "5", MAIN, is_noted=True)

    assert records(equal(number("a", "5", MAIN), typed)) == {"a/5", "till/5"}


def test_noted_number_is_attached_to_no_record_if_two_records_have_the_number():
    statements = [says(shop("5"), FAMILY), says(site("5"), WORK)]
    typed = [equal(shop("5"), till("5")), equal(site("5"), till("5"))]

    grouped = outcome(*statements, *typed)

    assert grouped.records == {"family@ + shop/5", "site/5 + work@", "till/5"}
    assert grouped.contested == {"shop/5 / till/5", "site/5 / till/5"}


def test_noted_numbers_of_two_tills_do_not_join_each_other():
    kiosk = number("kiosk", "5", SHOP_SPACE, is_noted=True)

    grouped = outcome(equal(till("5"), kiosk))

    assert grouped.records == {"till/5", "kiosk/5"}
    assert not grouped.contested


def test_only_one_of_two_separated_noted_numbers_is_attached_to_the_account():
    kiosk = number("kiosk", "5", SHOP_SPACE, is_noted=True)
    typed = [equal(shop("5"), till("5"), at=1), equal(shop("5"), kiosk, at=2)]

    assert records(*typed, separate(till("5"), kiosk)) == {"kiosk/5 + shop/5", "till/5"}


def test_noted_number_does_not_bring_two_accounts_together():
    statements = [equal(shop("5"), till("5")), says(till("5"), app("7"))]

    assert records(*statements) == {"shop/5 + till/5", "app/7"}


@pytest.mark.parametrize("evidence", [NOTED, CLAIMED])
def test_noted_number_needs_a_stated_equal_number(evidence):
    assert records(equal(shop("5"), till("5"), evidence)) == {"shop/5", "till/5"}


# Placeholders -------------------------------------------------------------------------


def test_placeholder_joins_no_mailbox_and_no_account():
    guest, guest_site = shop("guest", is_placeholder=True), site("guest")

    grouped = outcome(says(guest, FAMILY), says(guest, NOOR_CRM), equal(guest, guest_site))

    assert grouped.records == {"family@", "shop/9", "shop/guest", "site/guest"}
    assert not grouped.contested


def test_proved_links_of_a_placeholder_stay():
    placeholder = shop("noor", is_placeholder=True)
    statements = [says(placeholder, FAMILY, CONFIRMED), says(placeholder, WORK)]

    assert records(*statements, says(placeholder, NOOR_CRM, OPENED)) == {
        "family@ + shop/9 + shop/noor",
        "work@",
    }


def test_equal_number_of_a_placeholder_is_no_proof():
    assert records(equal(shop("guest", is_placeholder=True), site("guest"), CONFIRMED)) == {
        "shop/guest",
        "site/guest",
    }


def test_noted_number_is_not_attached_to_a_placeholder():
    assert records(equal(shop("guest", is_placeholder=True), till("guest"), CONFIRMED)) == {
        "shop/guest",
        "till/guest",
    }


def test_placeholder_card_is_attached_only_where_it_is_proved():
    placeholder = card("0000", is_placeholder=True)

    assert records(says(NOOR, placeholder, at=1)) == {"0000", "shop/noor"}
    assert records(says(NOOR, placeholder, at=1), says(SAM, placeholder, CONFIRMED, at=2)) == {
        "shop/noor",
        "0000 + shop/sam",
    }


def test_placeholder_number_of_a_several_space_does_not_join_its_equal_number():
    placeholder, other = contract("none", is_placeholder=True), contract("none", source="desk")

    assert records(equal(placeholder, other, CONFIRMED)) == {"contracts/none", "desk/none"}


# Erasures -----------------------------------------------------------------------------


def test_link_across_an_erasure_joins_nothing():
    erased = shop("noor", erasure_id=3)

    grouped = outcome(says(erased, FAMILY, CONFIRMED), merge(erased, WORK), alone=[FAMILY])

    assert grouped.records == {"shop/noor", "family@", "work@"}
    assert not grouped.contested


# Links that do not join ---------------------------------------------------------------


def test_two_mailboxes_of_one_event_do_not_join():
    assert records(says(FAMILY, WORK, CONFIRMED)) == {"family@", "work@"}


@pytest.mark.parametrize("holder", [NOOR, FAMILY, card("card-1"), phone("phone-1")])
def test_order_joins_nothing_and_is_attached_to_nothing(holder):
    placed = says(holder, order("order-1"), CONFIRMED)

    assert records(placed) == {holder.value, "order-1"}
    assert records(placed._replace(fields=placed.fields | {"kind": LinkKind.PLACED})) == {
        holder.value,
        "order-1",
    }


def test_identifier_without_a_statement_is_a_record_of_its_own():
    assert records(says(NOOR, FAMILY), alone=[SAM, ZOE]) == {
        "family@ + shop/noor",
        "shop/sam",
        "shop/zoe",
    }


def test_link_to_an_identifier_outside_the_input_is_left_out():
    node = IdentifierNode(1, "user_id", "1/noor")

    grouping = group([node], [IdentifierLink(1, 2, STATED, occurred_at=day(1))])

    assert grouping.groups == [frozenset({1})]
    assert not grouping.contested
