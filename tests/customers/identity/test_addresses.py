from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from customers.identity.addresses import (
    MAX_MAILBOXES,
    AddressProof,
    AddressStatement,
    effective_proofs,
    is_placeholder,
    replaced_addresses,
)

NOOR, SAM = 1, 2
OLD, NEW, TYPO = 11, 12, 13
SHOP, APP = 21, 22
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number):
    return START + timedelta(days=number)


def stated(mailbox, at, account=NOOR, source=SHOP, arrival=0):
    return AddressStatement(account, mailbox, source, day(at), arrival)


def replaced(*statements, proved=frozenset(), proved_at=0):
    """Return what was replaced, the same in every order of the statements.

    proved_at: the day of the proofs
    """
    proofs = dict.fromkeys(proved, day(proved_at))
    first = {
        statement[:3]: min(other.occurred_at for other in statements if other[:3] == statement[:3])
        for statement in statements
    }
    outcomes = [replaced_addresses(order, proofs, first) for order in permutations(statements)]
    assert all(other == outcomes[0] for other in outcomes)
    return outcomes[0]


def test_only_address_of_an_account_is_current():
    assert replaced(stated(OLD, at=1)) == set()


def test_unproved_address_is_replaced_at_once_by_a_later_one():
    assert replaced(stated(OLD, at=1), stated(NEW, at=2)) == {(NOOR, OLD, SHOP)}


def test_late_event_with_an_earlier_time_replaces_nothing_newer():
    assert replaced(stated(NEW, at=2, arrival=1), stated(OLD, at=1, arrival=2)) == {
        (NOOR, OLD, SHOP)
    }


@pytest.mark.parametrize(("first", "second"), [(OLD, NEW), (NEW, OLD)])
def test_arrival_decides_between_addresses_of_the_same_moment(first, second):
    assert replaced(stated(first, at=1, arrival=1), stated(second, at=1, arrival=2)) == {
        (NOOR, first, SHOP)
    }


def test_exactly_one_of_two_addresses_with_equal_time_and_arrival_is_current():
    assert len(replaced(stated(OLD, at=1), stated(NEW, at=1))) == 1


def test_proved_address_is_not_replaced_and_the_new_one_is_pending():
    assert replaced(stated(OLD, at=1), stated(NEW, at=2), proved={(NOOR, OLD)}) == {
        (NOOR, NEW, SHOP)
    }


def test_address_of_another_source_is_pending_while_the_account_has_a_proved_one():
    statements = [stated(OLD, at=1, source=SHOP), stated(NEW, at=2, source=APP)]

    assert replaced(*statements, proved={(NOOR, OLD)}) == {(NOOR, NEW, APP)}


def test_address_that_a_source_named_before_the_proof_of_another_one_stays_current():
    """Only the source itself or a person replaces it, and a repetition changes nothing."""
    nightly = [stated(OLD, at=1), stated(OLD, at=30)]

    assert replaced(*nightly, proved={(NOOR, NEW)}, proved_at=5) == set()


def test_source_that_changes_its_address_after_the_proof_of_another_one_has_none():
    statements = [stated(OLD, at=1), stated(TYPO, at=9)]

    assert replaced(*statements, proved={(NOOR, NEW)}, proved_at=5) == {
        (NOOR, OLD, SHOP),
        (NOOR, TYPO, SHOP),
    }


def test_proved_address_makes_an_earlier_typo_of_the_source_not_current():
    assert replaced(stated(TYPO, at=1), stated(NEW, at=2), proved={(NOOR, NEW)}) == {
        (NOOR, TYPO, SHOP)
    }


def test_proved_address_makes_a_later_typo_of_its_source_not_current():
    statements = [stated(OLD, at=1), stated(TYPO, at=2)]

    assert replaced(*statements, proved={(NOOR, OLD)}, proved_at=5) == {(NOOR, TYPO, SHOP)}


def test_address_between_two_proofs_is_pending():
    statements = [stated(NEW, at=5)]
    proofs = {(NOOR, OLD): day(3), (NOOR, TYPO): day(9)}
    first = {statements[0][:3]: day(5)}

    for proved in (proofs, dict(reversed(proofs.items()))):
        assert replaced_addresses(statements, proved, first) == {(NOOR, NEW, SHOP)}


def test_new_address_is_current_once_it_is_proved_too():
    both = {(NOOR, OLD), (NOOR, NEW)}

    assert replaced(stated(OLD, at=1), stated(NEW, at=2), proved=both) == set()


def test_address_that_another_account_proved_is_replaced_as_any_other():
    assert replaced(stated(OLD, at=1), stated(NEW, at=2), proved={(SAM, OLD)}) == {
        (NOOR, OLD, SHOP)
    }


def test_nightly_repetition_of_one_source_does_not_replace_the_address_of_another():
    nightly = stated(OLD, at=30, source=SHOP)

    assert replaced(nightly, stated(NEW, at=2, source=APP)) == set()


def test_nightly_repetition_of_the_current_address_changes_nothing():
    before = replaced(stated(OLD, at=1), stated(NEW, at=2))

    assert replaced(stated(OLD, at=1), stated(NEW, at=2), stated(NEW, at=30)) == before


def test_source_that_returns_to_an_earlier_address_makes_it_current_again():
    assert replaced(stated(NEW, at=2), stated(OLD, at=3)) == {(NOOR, NEW, SHOP)}


def test_source_replaces_only_its_own_address():
    statements = [stated(OLD, at=1, source=SHOP), stated(TYPO, at=2, source=APP)]

    assert replaced(*statements, stated(NEW, at=3, source=APP)) == {(NOOR, TYPO, APP)}


def test_address_of_one_account_does_not_replace_that_of_another_account():
    assert replaced(stated(OLD, at=1, account=NOOR), stated(NEW, at=2, account=SAM)) == set()


@pytest.mark.parametrize(
    ("days", "is_one"),
    [
        pytest.param([], False, id="no mailbox"),
        pytest.param([0] * MAX_MAILBOXES, False, id="five at once"),
        pytest.param([0] * (MAX_MAILBOXES + 1), True, id="six at once"),
        pytest.param([0, 73, 146, 219, 292, 365], True, id="six within a year"),
        pytest.param([0, 73, 146, 219, 292, 366], False, id="six within a year and a day"),
        pytest.param([0, 400, 401, 402, 403, 404, 405], True, id="six within a later year"),
        pytest.param(range(0, 4_000, 100), False, id="forty within eleven years"),
    ],
)
def test_value_with_more_than_five_mailboxes_in_a_year_is_a_placeholder(days, is_one):
    times = {mailbox: day(number) for mailbox, number in enumerate(days)}

    assert is_placeholder(times) is is_one
    assert is_placeholder(dict(reversed(times.items()))) is is_one


def test_placeholders_have_more_than_five_mailboxes():
    assert MAX_MAILBOXES == 5


def confirmed(mailbox, at, *, is_by_customer=False, account=NOOR):
    return AddressProof(account, mailbox, day(at), 0, is_by_customer)


def effective(*proofs):
    """Return the proved mailboxes of accounts, the same in every order of the proofs."""
    outcomes = [effective_proofs(order) for order in permutations(proofs)]
    assert all(other == outcomes[0] for other in outcomes)
    return outcomes[0]


def test_first_mailbox_that_a_source_confirmed_is_proved():
    assert effective(confirmed(OLD, at=1)) == {(NOOR, OLD): day(1)}


def test_second_mailbox_that_a_source_confirmed_is_pending():
    assert effective(confirmed(OLD, at=1), confirmed(NEW, at=2)) == {(NOOR, OLD): day(1)}
    assert effective(confirmed(OLD, at=1, is_by_customer=True), confirmed(NEW, at=2)) == {
        (NOOR, OLD): day(1)
    }


def test_customer_proves_a_second_mailbox():
    assert effective(
        confirmed(OLD, at=1), confirmed(NEW, at=2), confirmed(NEW, 5, is_by_customer=True)
    ) == {
        (NOOR, OLD): day(1),
        (NOOR, NEW): day(5),
    }


def test_mailboxes_of_two_accounts_are_proved_apart():
    assert effective(confirmed(OLD, at=1), confirmed(NEW, at=2, account=SAM)) == {
        (NOOR, OLD): day(1),
        (SAM, NEW): day(2),
    }
