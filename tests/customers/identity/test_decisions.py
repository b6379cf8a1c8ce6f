"""Decisions of people, aliases of owners, and what undoing them gives."""

import pytest

from customers.identity.grouping import group
from customers.identity.links import DecisionKind, ManualDecision
from customers.types import CLAIMED, CONFIRMED, NOTED, STATED
from tests.customers.identity.statements import (
    SHOP_SPACE,
    alias,
    app,
    card,
    day,
    device,
    mailbox,
    merge,
    number,
    order,
    outcome,
    own_proof,
    phone,
    records,
    says,
    separate,
    shop,
    site,
)

NOOR = shop("noor")
SAM = shop("sam")
ZOE = shop("zoe")
FAMILY = mailbox("family")
WORK = mailbox("work")
CARD = card("card-1")
PHONE = phone("phone-1")
TABLET = device("tablet")


def test_merge_joins_two_accounts_of_one_space_with_all_they_have():
    statements = [says(NOOR, FAMILY), says(SAM, WORK)]

    assert records(*statements, merge(NOOR, SAM)) == {"family@ + shop/noor + shop/sam + work@"}


def test_merged_accounts_share_the_mailbox_that_was_contested():
    grouped = outcome(says(NOOR, FAMILY, at=1), says(SAM, FAMILY, at=2), merge(NOOR, SAM, at=3))

    assert grouped.records == {"family@ + shop/noor + shop/sam"}
    assert not grouped.contested


def test_merge_of_two_numbers_does_not_let_a_third_one_in():
    statements = [says(NOOR, FAMILY), says(SAM, FAMILY), says(ZOE, FAMILY)]

    assert records(*statements, merge(NOOR, SAM)) == {
        "family@ + shop/noor + shop/sam",
        "shop/zoe",
    }


def test_merged_numbers_count_as_one_for_another_source_of_the_space():
    statements = [says(NOOR, FAMILY, at=1), says(site("sam"), FAMILY, at=2)]

    assert records(*statements, merge(NOOR, SAM)) == {"family@ + shop/noor + shop/sam + site/sam"}


def test_link_that_was_refused_joins_once_a_merge_brings_its_number_into_the_group():
    statements = [
        says(site("sam"), WORK, at=1),
        says(site("noor"), WORK, at=2),
        says(SAM, FAMILY, at=3),
    ]

    grouped = outcome(*statements, merge(NOOR, SAM, at=4), merge(FAMILY, WORK, at=5))

    assert grouped.records == {"family@ + shop/noor + shop/sam + site/noor + site/sam + work@"}
    assert not grouped.contested


def test_merge_says_nothing_about_equal_numbers_of_a_source_in_another_group():
    statements = [says(site("noor"), WORK, at=1), says(site("sam"), WORK, at=2)]

    assert records(*statements, merge(NOOR, SAM)) == {
        "shop/noor + shop/sam",
        "site/noor + work@",
        "site/sam",
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(FAMILY, WORK, id="two mailboxes"),
        pytest.param(CARD, PHONE, id="a card and a phone"),
        pytest.param(TABLET, NOOR, id="a device and an account"),
        pytest.param(order("order-1"), FAMILY, id="an order and a mailbox"),
    ],
)
def test_person_merges_what_no_source_can(first, second):
    assert len(records(merge(first, second))) == 1


def test_merge_stands_above_every_proof_about_a_card():
    grouped = outcome(says(NOOR, CARD, CONFIRMED), merge(SAM, CARD))

    assert grouped.records == {"shop/noor", "card-1 + shop/sam"}
    assert grouped.contested == {"card-1 / shop/noor"}


def test_separation_stands_above_every_proof_that_is_older():
    grouped = outcome(says(NOOR, FAMILY, CONFIRMED, at=1), separate(NOOR, FAMILY, at=2))

    assert grouped.records == {"family@", "shop/noor"}
    assert grouped.contested == {"family@ / shop/noor"}


@pytest.mark.parametrize("evidence", [STATED, CONFIRMED])
def test_nightly_repetition_restores_nothing_that_a_person_separated(evidence):
    nightly = [says(NOOR, FAMILY, evidence, at=at, source_id=at) for at in range(1, 10)]

    assert records(*nightly, separate(NOOR, FAMILY, at=2)) == {"family@", "shop/noor"}


def test_separated_pair_does_not_meet_through_a_third_identifier():
    statements = [says(NOOR, FAMILY, at=1), says(app("noor"), FAMILY, at=2)]

    grouped = outcome(*statements, separate(NOOR, app("noor")))

    assert grouped.records == {"family@ + shop/noor", "app/noor"}
    assert grouped.contested == {"app/noor / family@"}


def test_separated_pair_does_not_meet_through_a_card():
    statements = [says(NOOR, CARD, at=1), says(SAM, CARD, at=2)]

    grouped = outcome(*statements, separate(NOOR, CARD))

    assert grouped.records == {"shop/noor", "card-1 + shop/sam"}


def test_phone_is_attached_where_one_record_has_it_after_a_separation():
    grouped = outcome(says(NOOR, PHONE), says(SAM, PHONE), separate(SAM, PHONE))

    assert grouped.records == {"phone-1 + shop/noor", "shop/sam"}
    assert not grouped.ambiguous


def test_phone_separated_from_its_only_record_is_not_ambiguous():
    grouped = outcome(says(NOOR, PHONE), separate(NOOR, PHONE))

    assert grouped.records == {"phone-1", "shop/noor"}
    assert not grouped.ambiguous
    assert grouped.contested == {"phone-1 / shop/noor"}


def test_proof_of_both_in_one_session_ends_a_separation():
    assert records(separate(NOOR, FAMILY, at=2), own_proof(NOOR, FAMILY, at=3)) == {
        "family@ + shop/noor"
    }


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(own_proof(NOOR, FAMILY, at=1), id="a proof before the separation"),
        pytest.param(own_proof(NOOR, FAMILY, at=2), id="a proof of the same moment"),
        pytest.param(says(NOOR, FAMILY, CONFIRMED, at=3), id="a source's later word"),
        pytest.param(own_proof(NOOR, WORK, at=3), id="a later proof of another pair"),
    ],
)
def test_separation_is_not_ended_by(statement):
    grouped = records(separate(NOOR, FAMILY, at=2), statement)

    assert "family@" in grouped


def test_proof_of_a_link_that_was_proved_before_ends_a_separation():
    proof = own_proof(NOOR, FAMILY, at=1, again=5)

    assert records(proof, separate(NOOR, FAMILY, at=3)) == {"family@ + shop/noor"}


def test_latest_of_several_proofs_counts_for_a_separation():
    proofs = [own_proof(NOOR, FAMILY, at=1), own_proof(NOOR, FAMILY, at=5)]

    assert records(*proofs, separate(NOOR, FAMILY, at=3)) == {"family@ + shop/noor"}


@pytest.mark.parametrize(
    ("decisions", "records_after"),
    [
        pytest.param(
            [merge(NOOR, SAM, at=1), separate(NOOR, SAM, at=2)],
            {"shop/noor", "shop/sam"},
            id="separate after merge: apart",
        ),
        pytest.param(
            [separate(NOOR, SAM, at=1), merge(NOOR, SAM, at=2)],
            {"shop/noor + shop/sam"},
            id="merge after separate: joined",
        ),
        pytest.param(
            [merge(NOOR, SAM, at=1), separate(NOOR, SAM, at=2), merge(SAM, NOOR, at=3)],
            {"shop/noor + shop/sam"},
            id="merge again: joined",
        ),
    ],
)
def test_last_decision_about_a_pair_counts(decisions, records_after):
    assert records(*decisions) == records_after


def test_merges_through_a_third_account_do_not_join_a_separated_pair():
    decisions = [separate(NOOR, ZOE, at=1), merge(NOOR, SAM, at=2), merge(SAM, ZOE, at=3)]

    assert records(*decisions) == {"shop/noor + shop/sam", "shop/zoe"}


def test_merge_joins_the_pair_that_was_decided_first_if_a_separation_allows_only_one():
    decisions = [merge(SAM, ZOE, at=2), merge(NOOR, SAM, at=3), separate(NOOR, ZOE, at=4)]

    assert records(*decisions) == {"shop/noor", "shop/sam + shop/zoe"}


def test_merge_that_was_repeated_takes_the_place_of_its_last_time():
    decisions = [merge(NOOR, SAM, at=1), merge(SAM, ZOE, at=2), merge(NOOR, SAM, at=3)]

    assert records(*decisions, separate(NOOR, ZOE, at=4)) == {"shop/noor", "shop/sam + shop/zoe"}


@pytest.mark.parametrize("direction", [1, -1])
def test_number_decides_between_decisions_of_the_same_moment(direction):
    nodes = [NOOR._replace(id=1), SAM._replace(id=2)]
    decisions = [
        ManualDecision(DecisionKind.MERGE, 1, 2, day(1), number=7),
        ManualDecision(DecisionKind.SEPARATE, 1, 2, day(1), number=8),
    ]

    assert len(group(nodes, [], decisions[::direction]).groups) == 2


@pytest.mark.parametrize("direction", [1, -1])
def test_number_decides_which_of_two_merges_of_one_moment_joins_first(direction):
    nodes = [node._replace(id=id_) for id_, node in enumerate((NOOR, SAM, ZOE), 1)]
    decisions = [
        ManualDecision(DecisionKind.MERGE, 2, 3, day(1), number=7),
        ManualDecision(DecisionKind.MERGE, 1, 2, day(1), number=8),
        ManualDecision(DecisionKind.SEPARATE, 1, 3, day(1), number=9),
    ]

    groups = group(nodes, [], decisions[::direction]).groups

    assert set(groups) == {frozenset({1}), frozenset({2, 3})}


def test_decision_about_an_identifier_outside_the_input_is_left_out():
    merge_with_absent = ManualDecision(DecisionKind.MERGE, 1, 2, day(1), number=1)

    assert group([NOOR._replace(id=1)], [], [merge_with_absent]).groups == [frozenset({1})]


STATEMENTS = [says(NOOR, FAMILY, at=1), says(SAM, FAMILY, at=2), says(SAM, WORK, at=3)]


@pytest.mark.parametrize(
    ("standing", "undone"),
    [
        pytest.param([], merge(NOOR, SAM, at=5), id="a merge"),
        pytest.param([], separate(NOOR, FAMILY, at=5), id="a separation"),
        pytest.param(
            [merge(NOOR, SAM, at=4)], separate(NOOR, SAM, at=5), id="a separation after a merge"
        ),
        pytest.param(
            [separate(NOOR, SAM, at=4)], merge(NOOR, SAM, at=5), id="a merge after a separation"
        ),
        pytest.param([merge(NOOR, SAM, at=4)], merge(NOOR, SAM, at=5), id="a second merge"),
    ],
)
def test_decision_that_is_taken_out_leaves_what_was_before(standing, undone):
    before = outcome(*STATEMENTS, *standing, alone=[ZOE])
    outcome(*STATEMENTS, *standing, undone, alone=[ZOE])

    assert outcome(*STATEMENTS, *standing, alone=[ZOE]) == before


def test_merge_that_is_taken_out_after_further_statements_keeps_the_statements():
    later = says(SAM, mailbox("home"), at=9)

    assert records(*STATEMENTS, later, merge(NOOR, SAM, at=5)) == {
        "family@ + home@ + shop/noor + shop/sam + work@"
    }
    assert records(*STATEMENTS, later) == {"family@ + shop/noor", "home@ + shop/sam + work@"}


# Aliases of owners --------------------------------------------------------------------


def test_alias_of_an_owner_joins_two_numbers_of_its_space():
    statements = [says(NOOR, FAMILY), says(SAM, WORK)]

    assert records(*statements, alias(NOOR, SAM)) == {"family@ + shop/noor + shop/sam + work@"}


@pytest.mark.parametrize("evidence", [CLAIMED, NOTED])
def test_alias_of_a_stolen_cookie_or_a_till_joins_nothing(evidence):
    assert records(alias(NOOR, SAM, evidence)) == {"shop/noor", "shop/sam"}


def test_alias_does_not_join_what_a_person_separated():
    assert records(separate(NOOR, SAM, at=1), alias(NOOR, SAM, at=2)) == {"shop/noor", "shop/sam"}


def test_aliases_of_one_tablet_do_not_join_the_family():
    grouped = outcome(alias(TABLET, NOOR), alias(TABLET, SAM))

    assert grouped.records == {"shop/noor", "shop/sam", "tablet"}
    assert grouped.ambiguous == {"tablet"}


def test_device_of_one_alias_is_that_accounts_device():
    assert records(alias(TABLET, NOOR)) == {"shop/noor + tablet"}


def test_alias_of_a_mailbox_counts_as_one_statement_of_the_mailbox():
    grouped = outcome(says(NOOR, FAMILY, at=1), alias(FAMILY, SAM, at=2))

    assert grouped.records == {"family@ + shop/noor", "shop/sam"}


def test_alias_of_a_mailbox_is_no_proof_even_of_a_source_that_checks_addresses():
    statements = [says(NOOR, FAMILY, at=1), alias(FAMILY, SAM, CONFIRMED, at=2)]

    assert records(*statements) == {"family@ + shop/noor", "shop/sam"}


def test_alias_of_a_placeholder_joins_nothing():
    guest = shop("guest", is_placeholder=True)

    assert records(alias(guest, NOOR, CONFIRMED), alias(guest, SAM)) == {
        "shop/guest",
        "shop/noor",
        "shop/sam",
    }


def test_alias_of_a_number_that_a_source_does_not_own_joins_nothing():
    typed = number("till", "5", SHOP_SPACE, is_noted=True)

    assert records(alias(typed, NOOR)) == {"shop/noor", "till/5"}


def test_earlier_alias_joins_if_a_separation_allows_only_one():
    aliases = [alias(NOOR, SAM, at=1), alias(SAM, ZOE, at=2)]

    assert records(*aliases, separate(NOOR, ZOE)) == {"shop/noor + shop/sam", "shop/zoe"}


def test_merge_of_a_person_stands_before_an_alias():
    statements = [alias(NOOR, SAM, at=1), merge(SAM, ZOE, at=9)]

    assert records(*statements, separate(NOOR, ZOE)) == {"shop/noor", "shop/sam + shop/zoe"}
