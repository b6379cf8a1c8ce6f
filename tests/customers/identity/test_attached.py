"""Cards, phones, attached numbers and devices: they are attached to one record and join nothing."""

import pytest

from customers.types import CLAIMED, CONFIRMED, NOTED, OPENED, STATED
from tests.customers.identity.statements import (
    MAIN_CONTRACTS_SPACE,
    app,
    card,
    contract,
    device,
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
    till,
)

NOOR = shop("noor")
SAM = shop("sam")
APP_SAM = app("sam")
FAMILY = mailbox("family")
WORK = mailbox("work")
CARD = card("card-1")
PHONE = phone("phone-1")
TABLET = device("tablet")
CONTRACT = contract("77")


@pytest.mark.parametrize("attached", [CARD, PHONE, CONTRACT, TABLET], ids=lambda node: node.value)
@pytest.mark.parametrize("holder", [NOOR, FAMILY], ids=lambda node: node.value)
def test_attached_identifier_is_attached_to_an_account_or_a_mailbox(attached, holder):
    assert records(says(holder, attached)) == {" + ".join(sorted((holder.value, attached.value)))}


@pytest.mark.parametrize("attached", [CARD, PHONE, CONTRACT, TABLET], ids=lambda node: node.value)
@pytest.mark.parametrize("evidence", [STATED, CONFIRMED])
def test_attached_identifier_does_not_join_two_records(attached, evidence):
    grouped = outcome(says(NOOR, attached, evidence, 1), says(app("sam"), attached, evidence, 2))

    assert not any({"shop/noor", "app/sam"} <= set(group.split(" + ")) for group in grouped.records)


def test_card_is_attached_by_its_strongest_link_even_if_the_link_is_late():
    links = [says(NOOR, CARD, at=1), says(SAM, CARD, OPENED, at=2)]

    assert records(*links) == {"shop/noor", "card-1 + shop/sam"}
    assert records(*links, says(NOOR, CARD, CONFIRMED, at=3)) == {"card-1 + shop/noor", "shop/sam"}


def test_card_is_attached_by_the_earliest_of_equally_strong_links():
    links = [says(NOOR, CARD, CONFIRMED, at=5), says(SAM, CARD, CONFIRMED, at=4)]

    grouped = outcome(*links)

    assert grouped.records == {"shop/noor", "card-1 + shop/sam"}
    assert grouped.contested == {"card-1 / shop/noor"}


def test_arrival_decides_between_equally_strong_cards_of_one_moment():
    links = [says(NOOR, CARD, arrival=2), says(SAM, CARD, arrival=1)]

    assert records(*links) == {"shop/noor", "card-1 + shop/sam"}


def test_several_contracts_of_one_person_are_attached_to_one_record():
    contracts = [contract(str(number)) for number in range(4)]

    assert records(*(says(FAMILY, end) for end in contracts)) == {
        "contracts/0 + contracts/1 + contracts/2 + contracts/3 + family@"
    }


def test_two_contracts_of_one_event_do_not_join():
    assert records(says(CONTRACT, contract("78"), CONFIRMED)) == {"contracts/77", "contracts/78"}


def test_equal_contracts_of_two_sources_are_attached_together():
    other = contract("77", source="desk")

    assert records(equal(CONTRACT, other), says(NOOR, other)) == {
        "contracts/77 + desk/77 + shop/noor"
    }


def test_equal_contracts_are_attached_together_by_their_strongest_link():
    other = contract("77", source="desk")
    links = [says(NOOR, CONTRACT, at=1), says(SAM, other, CONFIRMED, at=2)]

    assert records(equal(CONTRACT, other), *links) == {
        "shop/noor",
        "contracts/77 + desk/77 + shop/sam",
    }


@pytest.mark.parametrize("is_noted", [False, True])
@pytest.mark.parametrize("evidence", [STATED, CONFIRMED])
def test_equal_contracts_that_two_people_proved_stay_with_them(is_noted, evidence):
    other = contract("77", source="desk", is_noted=is_noted)
    links = [says(NOOR, CONTRACT, CONFIRMED, at=1), says(APP_SAM, other, CONFIRMED, at=2)]

    grouped = outcome(equal(CONTRACT, other, evidence, at=0), *links)

    assert grouped.records == {"contracts/77 + shop/noor", "app/sam + desk/77"}
    assert grouped.contested == {"contracts/77 / desk/77"}


def test_equal_contracts_that_staff_put_on_two_records_stay_there():
    other = contract("77", source="desk")

    assert records(equal(CONTRACT, other), merge(NOOR, CONTRACT), merge(APP_SAM, other)) == {
        "contracts/77 + shop/noor",
        "app/sam + desk/77",
    }


@pytest.mark.parametrize("evidence", [NOTED, CLAIMED])
def test_weak_equal_contracts_are_not_attached_together(evidence):
    other = contract("77", source="desk")

    assert records(equal(CONTRACT, other, evidence)) == {"contracts/77", "desk/77"}


def test_equal_contracts_of_a_space_that_nobody_named_are_not_attached_together():
    first, second = (number(of, "77", MAIN_CONTRACTS_SPACE) for of in ("a", "b"))

    assert records(equal(first, second)) == {"a/77", "b/77"}


def test_phone_of_a_card_is_attached_to_the_record_of_the_card():
    assert records(says(CARD, PHONE), says(NOOR, CARD)) == {"card-1 + phone-1 + shop/noor"}


def test_phone_of_a_card_without_a_record_is_attached_to_the_card():
    assert records(says(CARD, PHONE)) == {"card-1 + phone-1"}


def test_phone_of_an_account_and_its_own_mailbox_has_one_record():
    links = [says(NOOR, FAMILY), says(NOOR, PHONE), says(FAMILY, PHONE)]

    assert records(*links) == {"family@ + phone-1 + shop/noor"}


def test_phone_of_two_records_is_attached_to_the_one_that_alone_confirmed_it_twice():
    links = [says(SAM, PHONE), says(NOOR, PHONE, CONFIRMED), says(FAMILY, PHONE, CONFIRMED)]

    assert records(*links, says(NOOR, FAMILY)) == {"family@ + phone-1 + shop/noor", "shop/sam"}


def test_opened_link_of_a_phone_is_not_confirmed():
    grouped = outcome(says(NOOR, PHONE, OPENED), says(SAM, PHONE))

    assert grouped.ambiguous == {"phone-1"}


def test_phone_of_merged_accounts_is_no_longer_ambiguous():
    grouped = outcome(says(NOOR, PHONE), says(SAM, PHONE), merge(NOOR, SAM))

    assert grouped.records == {"phone-1 + shop/noor + shop/sam"}
    assert not grouped.ambiguous


def test_device_of_two_records_is_attached_to_none_even_if_one_confirmed_it():
    grouped = outcome(says(NOOR, TABLET, CONFIRMED), says(FAMILY, TABLET))

    assert grouped.records == {"family@", "shop/noor", "tablet"}
    assert grouped.contested == {"shop/noor / tablet", "family@ / tablet"}


def test_device_of_an_ambiguous_phone_and_an_account_has_two_records():
    links = [says(NOOR, PHONE), says(SAM, PHONE), says(PHONE, TABLET), says(NOOR, TABLET)]

    assert outcome(*links).ambiguous == {"phone-1", "tablet"}


def test_two_devices_of_one_event_do_not_join():
    push = device("push")._replace(kind="device")

    assert records(says(TABLET, push, CONFIRMED)) == {"push", "tablet"}


def test_device_is_not_attached_to_an_order():
    assert records(says(order("order-1"), TABLET, CONFIRMED)) == {"order-1", "tablet"}


def test_card_and_phone_that_staff_joined_are_attached_by_the_strength_of_the_card():
    links = [says(NOOR, PHONE, at=1), says(SAM, CARD, at=2)]

    assert records(merge(CARD, PHONE), *links) == {"card-1 + phone-1 + shop/noor", "shop/sam"}
    assert records(merge(CARD, PHONE), *links, says(SAM, CARD, CONFIRMED, at=3)) == {
        "shop/noor",
        "card-1 + phone-1 + shop/sam",
    }


@pytest.mark.parametrize("holder", [NOOR, FAMILY], ids=lambda node: node.value)
def test_card_that_staff_put_on_a_record_stays_there(holder):
    assert records(merge(holder, CARD), says(SAM, CARD, CONFIRMED)) == {
        " + ".join(sorted(("card-1", holder.value))),
        "shop/sam",
    }


def test_contract_of_two_accounts_and_a_mailbox_is_attached_to_the_first_alone():
    links = [says(NOOR, CONTRACT, at=1), says(SAM, CONTRACT, at=2), says(CONTRACT, WORK, at=3)]

    assert records(*links) == {"contracts/77 + shop/noor", "shop/sam", "work@"}


def test_proved_card_of_a_number_that_a_till_typed_comes_along_with_the_number():
    links = [says(till("noor"), CARD, CONFIRMED), equal(NOOR, till("noor"))]

    assert records(*links) == {"card-1 + shop/noor + till/noor"}


def test_number_that_a_till_typed_stays_where_staff_put_it():
    links = [merge(SAM, till("noor")), equal(NOOR, till("noor"))]

    assert records(*links) == {"shop/noor", "shop/sam + till/noor"}


def test_proved_card_stays_if_an_unproved_address_would_meet_its_separation():
    links = [says(NOOR, CARD, CONFIRMED, at=2), says(NOOR, FAMILY, at=1)]

    grouped = outcome(*links, separate(FAMILY, CARD))

    assert grouped.records == {"card-1 + shop/noor", "family@"}
    assert grouped.contested == {"family@ / shop/noor"}


def test_phone_of_an_account_and_of_its_card_has_one_record():
    links = [says(CARD, PHONE), says(NOOR, PHONE), says(NOOR, CARD)]

    grouped = outcome(*links)

    assert grouped.records == {"card-1 + phone-1 + shop/noor"}
    assert not grouped.ambiguous


def test_link_between_a_card_and_a_phone_that_staff_joined_does_not_choose_their_record():
    links = [says(CARD, PHONE, CONFIRMED, at=1), says(NOOR, CARD, at=2)]

    assert records(merge(CARD, PHONE), *links) == {"card-1 + phone-1 + shop/noor"}


def test_two_pairs_of_card_and_phone_that_name_each_other_are_attached_together_in_one_order():
    other_card, other_phone = card("card-2"), phone("phone-2")
    pairs = [merge(CARD, PHONE, at=1), merge(other_card, other_phone, at=2)]
    crossed = [says(PHONE, other_card, at=1), says(other_phone, CARD, at=1)]
    links = [says(NOOR, CARD, at=2), says(SAM, other_card, at=2)]

    grouped = outcome(*pairs, *crossed, *links)

    assert grouped.records == {"card-1 + card-2 + phone-1 + phone-2 + shop/sam", "shop/noor"}
