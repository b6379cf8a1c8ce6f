"""Which periods of an address are one: a period is closed only if it ended."""

import pytest

from customers.identity.grouping import group
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
)
from customers.identity.periods import continued_periods
from customers.identity.separations import first_pair, first_periods, separated_pairs
from customers.types import CONFIRMED, NOTED, OPENED, STATED
from tests.customers.identity.statements import day

# The ids of the periods of an address grow with their times.
FIRST, SECOND, THIRD = 1, 2, 3
NOOR, SAM, CARD, MAILBOX = 11, 12, 13, 14
END = 5


def nodes(kind="email", **erasures):
    """Return the identifiers by id; an address of this kind, and where an erasure ended one."""
    kinds = {FIRST: kind, SECOND: kind, THIRD: kind}
    kinds |= {NOOR: "user_id", SAM: "user_id", CARD: "card", MAILBOX: "email"}
    return {
        id_: IdentifierNode(id_, kind_, str(id_), erasure_id=erasures.get(f"id{id_}", 0))
        for id_, kind_ in kinds.items()
    }


def says(address, holder, evidence=CONFIRMED, **fields):
    return IdentifierLink(address, holder, evidence, occurred_at=day(1), **fields)


def border(first=FIRST, second=SECOND, at=END):
    return IdentifierLink(first, second, STATED, LinkKind.PERIOD, day(at))


def decision(kind, first, second, at=END, number=0):
    return ManualDecision(kind, first, second, day(at), number)


def separate(first, second, at=END):
    return decision(DecisionKind.SEPARATE, first, second, at)


TAKEN_OFF = separate(FIRST, NOOR)


def continued(*links, decisions=(TAKEN_OFF,), identifiers=None, records=None):
    """Return the pairs of periods that are one."""
    by_id = identifiers or nodes()
    return [link.pair for link in continued_periods(by_id, links, decisions, records)]


def test_address_that_was_proved_and_taken_off_ended_its_period():
    assert continued(border(), says(FIRST, NOOR)) == []


@pytest.mark.parametrize("evidence", [NOTED, STATED, OPENED])
def test_address_that_the_account_had_not_confirmed_ended_no_period(evidence):
    assert continued(border(), says(FIRST, NOOR, evidence)) == [(FIRST, SECOND)]


def test_address_that_another_account_has_ended_no_period():
    links = [border(), says(FIRST, NOOR), says(FIRST, SAM, STATED)]

    assert continued(*links) == [(FIRST, SECOND)]


def test_address_that_another_account_replaced_or_only_noted_ended_its_period():
    replaced = says(FIRST, SAM, STATED, is_current=False)

    assert continued(border(), says(FIRST, NOOR), replaced) == []
    assert continued(border(), says(FIRST, NOOR), says(FIRST, SAM, NOTED)) == []


def test_address_that_another_account_proved_before_it_was_replaced_ended_no_period():
    proved = says(FIRST, SAM, OPENED, is_current=False)

    assert continued(border(), says(FIRST, NOOR), proved) == [(FIRST, SECOND)]


def test_address_that_another_account_lost_later_was_still_on_it():
    links = [border(), says(FIRST, NOOR), says(FIRST, SAM)]
    decisions = [separate(FIRST, NOOR), separate(FIRST, SAM, at=END + 1)]

    assert continued(*links, decisions=decisions) == [(FIRST, SECOND)]


def test_address_without_an_account_ended_no_period():
    assert continued(border(), decisions=()) == [(FIRST, SECOND)]


def test_equal_number_or_alias_of_an_address_is_no_holder():
    links = [border(), says(FIRST, NOOR), says(FIRST, SAM, kind=LinkKind.ALIAS)]

    assert continued(*links) == []


def test_erasure_ended_the_period():
    assert continued(border(), decisions=(), identifiers=nodes(id1=7)) == []


def test_holder_of_another_erasure_does_not_hold_the_period():
    links = [border(), says(FIRST, NOOR), says(FIRST, SAM)]

    assert continued(*links, identifiers=nodes(id12=7)) == []


@pytest.mark.parametrize("holder", [NOOR, MAILBOX])
def test_phone_that_was_proved_and_taken_off_ended_its_period(holder):
    links = [border(), says(FIRST, holder)]
    decisions = [separate(FIRST, holder)]

    assert continued(*links, decisions=decisions, identifiers=nodes("phone")) == []


def test_card_is_no_holder_of_a_phone():
    links = [border(), says(FIRST, NOOR), says(FIRST, CARD)]

    assert continued(*links, identifiers=nodes("phone")) == []


ONE_RECORD = {NOOR: "noor", MAILBOX: "noor", SAM: "noor"}


def test_phone_that_was_taken_off_the_account_is_taken_off_its_mailbox_too():
    links = [border(), says(FIRST, NOOR), says(FIRST, MAILBOX)]
    phones = nodes("phone")

    assert continued(*links, identifiers=phones) == [(FIRST, SECOND)]
    assert continued(*links, identifiers=phones, records=ONE_RECORD) == []


def test_phone_that_the_mailbox_proved_again_stays_on_the_record():
    again = says(FIRST, MAILBOX, own_proof_at=day(END + 1))
    links = [border(), says(FIRST, NOOR), again]

    assert continued(*links, identifiers=nodes("phone"), records=ONE_RECORD) == [(FIRST, SECOND)]


def test_mailbox_that_was_taken_off_one_account_stays_with_the_other_one_of_the_record():
    links = [border(), says(FIRST, NOOR), says(FIRST, SAM)]

    assert continued(*links, records=ONE_RECORD) == [(FIRST, SECOND)]


def test_phone_of_a_record_is_grouped_by_the_records_of_the_mailboxes():
    links = [says(MAILBOX, NOOR), says(FIRST, NOOR), says(FIRST, MAILBOX), border()]

    groups = group(nodes("phone").values(), links, [TAKEN_OFF]).groups

    assert any({NOOR, MAILBOX} <= members for members in groups)
    assert not any({FIRST, SECOND} <= members for members in groups)


def test_holder_in_an_earlier_period_that_is_one_with_this_one_holds_it():
    links = [border(), border(SECOND, THIRD, END + 3)]
    links += [says(FIRST, SAM, STATED), says(SECOND, NOOR)]
    decisions = [separate(SECOND, NOOR, at=END + 3)]

    assert continued(*links, decisions=decisions) == [(FIRST, SECOND), (SECOND, THIRD)]


def test_holder_in_a_period_that_ended_does_not_hold_the_next_one():
    links = [border(), border(SECOND, THIRD, END + 3)]
    links += [says(FIRST, NOOR), says(SECOND, SAM)]
    decisions = [separate(FIRST, NOOR), separate(SECOND, SAM, at=END + 3)]

    assert continued(*links, decisions=decisions) == []


def test_later_separation_from_another_period_counts_since_the_first_one():
    links = [border(), border(SECOND, THIRD, END + 3), says(FIRST, NOOR)]
    decisions = [separate(FIRST, NOOR), separate(SECOND, NOOR, at=END + 2)]

    assert (FIRST, SECOND) not in continued(*links, decisions=decisions)


def test_periods_lead_to_the_first_one():
    borders = [border(SECOND, THIRD), border(FIRST, SECOND)]

    assert first_periods(borders) == {SECOND: FIRST, THIRD: FIRST}


def test_pair_of_two_periods_of_one_address_stays_as_it_is():
    firsts = {SECOND: FIRST, THIRD: FIRST}

    assert first_pair((SECOND, THIRD), firsts) == (SECOND, THIRD)
    assert first_pair((THIRD, NOOR), firsts) == (FIRST, NOOR)


def test_separation_from_one_period_holds_in_all_of_them():
    borders = [border(FIRST, SECOND), border(SECOND, THIRD)]

    pairs = separated_pairs(borders, [separate(SECOND, NOOR)])

    assert sorted(pairs) == [(FIRST, NOOR), (SECOND, NOOR), (THIRD, NOOR)]


def test_merge_with_one_period_ends_the_separation_from_another_one():
    decisions = [separate(FIRST, NOOR), decision(DecisionKind.MERGE, SECOND, NOOR, END + 1)]

    assert separated_pairs([border()], decisions) == []


def test_proof_in_one_period_ends_the_separation_from_another_one():
    proof = says(SECOND, NOOR, own_proof_at=day(END + 1))

    assert separated_pairs([border(), proof], [separate(FIRST, NOOR)]) == []
