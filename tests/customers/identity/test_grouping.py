"""The table of docs/reference/identity.md: what each family does with each evidence.

Each row of the table is one test, each cell is one case. `outcome` groups each case in eight orders
of arrival.
"""

import pytest

from customers.types import CLAIMED, CONFIRMED, NOTED, OPENED, STATED
from tests.customers.identity.statements import (
    MAIN,
    app,
    card,
    device,
    equal,
    filed_on,
    mailbox,
    number,
    order,
    outcome,
    phone,
    says,
    shop,
    site,
    till,
)

NOOR = shop("noor")
SAM = shop("sam")
APP_NOOR = app("noor")
FAMILY = mailbox("family")
WORK = mailbox("work")
CARD = card("card-1")
PHONE = phone("phone-1")
TABLET = device("tablet")


@pytest.mark.parametrize(
    ("evidence", "records"),
    [
        pytest.param(CONFIRMED, {"family@ + shop/noor"}, id="confirmed: they join"),
        pytest.param(OPENED, {"family@ + shop/noor"}, id="opened: they join"),
        pytest.param(STATED, {"family@ + shop/noor"}, id="stated: they join"),
        pytest.param(NOTED, {"family@", "shop/noor"}, id="noted: the account only receives"),
        pytest.param(CLAIMED, {"family@", "shop/noor"}, id="claimed: nothing happens"),
    ],
)
def test_account_and_mailbox_that_no_account_of_its_space_has(evidence, records):
    grouped = outcome(says(NOOR, FAMILY, evidence))

    assert grouped.records == records
    assert not grouped.contested


@pytest.mark.parametrize(
    ("evidence", "records"),
    [
        pytest.param(CONFIRMED, "app/noor + family@ + shop/noor", id="confirmed: one customer"),
        pytest.param(OPENED, "app/noor + family@ + shop/noor", id="opened: one customer"),
        pytest.param(STATED, "app/noor + family@ + shop/noor", id="stated: one customer"),
    ],
)
def test_account_and_mailbox_that_an_account_of_another_space_has(evidence, records):
    assert outcome(says(NOOR, FAMILY), says(APP_NOOR, FAMILY, evidence, at=2)).records == {records}


@pytest.mark.parametrize(
    ("holder_evidence", "evidence", "records"),
    [
        pytest.param(
            *(CONFIRMED, CONFIRMED, {"family@ + shop/noor", "shop/sam"}),
            id="confirmed after confirmed: apart",
        ),
        pytest.param(
            *(OPENED, CONFIRMED, {"family@ + shop/noor", "shop/sam"}),
            id="confirmed after opened: apart",
        ),
        pytest.param(
            *(STATED, CONFIRMED, {"shop/noor", "family@ + shop/sam"}),
            id="confirmed after stated: the proof takes it",
        ),
        pytest.param(
            *(STATED, OPENED, {"shop/noor", "family@ + shop/sam"}),
            id="opened after stated: the proof takes it",
        ),
        pytest.param(
            *(STATED, STATED, {"family@ + shop/noor", "shop/sam"}),
            id="stated after stated: apart",
        ),
        pytest.param(
            *(CONFIRMED, STATED, {"family@ + shop/noor", "shop/sam"}),
            id="stated after confirmed: apart",
        ),
    ],
)
def test_account_and_mailbox_of_another_account_of_its_space(holder_evidence, evidence, records):
    grouped = outcome(says(NOOR, FAMILY, holder_evidence, at=1), says(SAM, FAMILY, evidence, at=2))

    assert grouped.records == records
    refused = "shop/noor" if "shop/noor" in records else "shop/sam"
    assert grouped.contested == {f"family@ / {refused}"}


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(NOTED, id="noted: apart, and no contest"),
        pytest.param(CLAIMED, id="claimed: apart, and no contest"),
    ],
)
def test_weak_statement_of_a_mailbox_of_another_account(evidence):
    grouped = outcome(says(NOOR, FAMILY, at=2), says(SAM, FAMILY, evidence, at=1))

    assert grouped.records == {"family@ + shop/noor", "shop/sam"}
    assert not grouped.contested


@pytest.mark.parametrize(
    ("evidence", "records"),
    [
        pytest.param(CONFIRMED, {"shop/5 + site/5"}, id="confirmed: one account"),
        pytest.param(STATED, {"shop/5 + site/5"}, id="stated: one account"),
        pytest.param(NOTED, {"shop/5", "site/5"}, id="noted: filed apart"),
        pytest.param(CLAIMED, {"shop/5", "site/5"}, id="claimed: nothing happens"),
    ],
)
def test_equal_numbers_of_a_named_space(evidence, records):
    assert outcome(equal(shop("5"), site("5"), evidence)).records == records


@pytest.mark.parametrize(
    ("evidence", "records"),
    [
        pytest.param(CONFIRMED, {"a/5", "b/5"}, id="confirmed: apart"),
        pytest.param(STATED, {"a/5", "b/5"}, id="stated: apart"),
    ],
)
def test_equal_numbers_of_main_without_a_common_mailbox(evidence, records):
    first, second = number("a", "5", MAIN), number("b", "5", MAIN)

    grouped = outcome(equal(first, second, evidence))

    assert grouped.records == records
    assert grouped.contested == {"a/5 / b/5"}


@pytest.mark.parametrize(
    ("evidence", "record"),
    [
        pytest.param(CONFIRMED, "family@ + shop/noor", id="confirmed: of the account"),
        pytest.param(STATED, "family@ + shop/noor", id="stated: of the account"),
        pytest.param(NOTED, "family@", id="noted: of the mailbox alone"),
    ],
)
def test_order_with_only_a_mailbox_is_filed_on_it_whoever_has_it(evidence, record):
    assert filed_on(order("order-1"), TABLET, PHONE, FAMILY) == FAMILY
    assert record in outcome(says(NOOR, FAMILY, evidence)).records


@pytest.mark.parametrize(
    "attached",
    [pytest.param(CARD, id="a card"), pytest.param(PHONE, id="a phone")],
)
@pytest.mark.parametrize(
    ("evidence", "is_attached"),
    [
        pytest.param(CONFIRMED, True, id="confirmed: it is attached"),
        pytest.param(STATED, True, id="stated: it is attached"),
        pytest.param(NOTED, False, id="noted: it finds a record"),
        pytest.param(CLAIMED, False, id="claimed: nothing happens"),
    ],
)
def test_attached_identifier_with_one_record(attached, evidence, is_attached):
    grouped = outcome(says(NOOR, attached, evidence))

    assert grouped.records == (
        {f"{attached.value} + shop/noor"} if is_attached else {attached.value, "shop/noor"}
    )


@pytest.mark.parametrize(
    ("first_evidence", "second_evidence", "holder"),
    [
        pytest.param(STATED, STATED, "shop/noor", id="both stated: with the first"),
        pytest.param(STATED, CONFIRMED, "shop/sam", id="one confirmed: with that one"),
        pytest.param(CONFIRMED, STATED, "shop/noor", id="the first confirmed: with the first"),
        pytest.param(CONFIRMED, CONFIRMED, "shop/noor", id="both confirmed: with the first"),
        pytest.param(NOTED, STATED, "shop/sam", id="the first noted: with the other"),
    ],
)
def test_card_with_two_records(first_evidence, second_evidence, holder):
    grouped = outcome(says(NOOR, CARD, first_evidence, 1), says(SAM, CARD, second_evidence, 2))

    other = ({"shop/noor", "shop/sam"} - {holder}).pop()
    assert grouped.records == {f"card-1 + {holder}", other}
    assert not grouped.ambiguous


@pytest.mark.parametrize(
    ("first_evidence", "second_evidence", "records"),
    [
        pytest.param(STATED, STATED, {"phone-1", "shop/noor", "shop/sam"}, id="both stated: none"),
        pytest.param(
            *(STATED, CONFIRMED, {"shop/noor", "phone-1 + shop/sam"}),
            id="one alone confirmed it: with that one",
        ),
        pytest.param(
            *(CONFIRMED, CONFIRMED, {"phone-1", "shop/noor", "shop/sam"}),
            id="both confirmed it: none",
        ),
        pytest.param(
            *(STATED, NOTED, {"phone-1 + shop/noor", "shop/sam"}),
            id="the other noted: with the stated one",
        ),
    ],
)
def test_phone_with_two_records(first_evidence, second_evidence, records):
    grouped = outcome(says(NOOR, PHONE, first_evidence, 1), says(SAM, PHONE, second_evidence, 2))

    assert grouped.records == records
    assert grouped.ambiguous == ({"phone-1"} if "phone-1" in records else set())


@pytest.mark.parametrize(
    ("evidence", "records"),
    [
        pytest.param(CONFIRMED, {"shop/noor + tablet"}, id="confirmed: its activity"),
        pytest.param(STATED, {"shop/noor + tablet"}, id="stated: its activity"),
        pytest.param(NOTED, {"shop/noor", "tablet"}, id="noted: nothing"),
        pytest.param(CLAIMED, {"shop/noor", "tablet"}, id="claimed: nothing"),
    ],
)
def test_device_with_one_account(evidence, records):
    assert outcome(says(NOOR, TABLET, evidence)).records == records


@pytest.mark.parametrize(
    "evidence",
    [pytest.param(CONFIRMED, id="confirmed: none"), pytest.param(STATED, id="stated: none")],
)
def test_device_with_two_accounts(evidence):
    grouped = outcome(says(NOOR, TABLET, at=1), says(SAM, TABLET, evidence, at=2))

    assert grouped.records == {"shop/noor", "shop/sam", "tablet"}
    assert grouped.ambiguous == {"tablet"}


def test_number_that_a_till_typed_is_attached_to_the_account_with_this_number():
    grouped = outcome(says(NOOR, FAMILY), equal(NOOR, till("noor")))

    assert grouped.records == {"family@ + shop/noor + till/noor"}


def test_address_that_a_till_typed_with_a_number_joins_nothing():
    grouped = outcome(
        says(NOOR, FAMILY), says(till("noor"), WORK, NOTED), equal(NOOR, till("noor"))
    )

    assert grouped.records == {"family@ + shop/noor + till/noor", "work@"}
