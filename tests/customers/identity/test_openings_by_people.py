"""A colleague's decision that a phone or a card is the customer's opens it."""

import pytest

from customers.identity.links import DecisionKind, ManualDecision
from customers.identity.opening_rules import attached_by_people, open_records
from customers.types import CONFIRMED
from tests.customers.identity.statements import day
from tests.customers.identity.test_opening_rules import (
    ACCOUNT,
    CARD,
    DEVICE,
    MAILBOX,
    PHONE,
    SECOND,
    identifier,
    ids,
    link,
    opened,
)


def opened_by(kind, first, second, *, separated=()):
    """Return the opened identifiers of a session of `first` after a decision about both."""
    identifiers = {id_: identifier(id_) for id_ in (first, second)}
    decisions = [ManualDecision(kind, first, second, day(1), 1)]
    links = attached_by_people(identifiers, decisions, frozenset(separated))
    [record] = open_records([first], identifiers, links).records
    return set(record.identifier_ids)


@pytest.mark.parametrize("leaf", [CARD, PHONE])
@pytest.mark.parametrize("holder", [MAILBOX, ACCOUNT])
def test_card_or_phone_that_a_colleague_put_on_a_record_opens(holder, leaf):
    assert opened_by(DecisionKind.MERGE, holder, leaf) == {holder, leaf}


@pytest.mark.parametrize("other", [ACCOUNT, DEVICE])
def test_merge_of_staff_opens_no_account_and_no_device(other):
    assert opened_by(DecisionKind.MERGE, MAILBOX, other) - {DEVICE} == {MAILBOX}
    assert other == DEVICE or opened_by(DecisionKind.MERGE, MAILBOX, other) == {MAILBOX}


def test_separated_card_opens_no_more():
    assert opened_by(DecisionKind.MERGE, ACCOUNT, CARD, separated=[(ACCOUNT, CARD)]) == {ACCOUNT}


def test_separation_opens_no_card():
    assert opened_by(DecisionKind.SEPARATE, ACCOUNT, CARD) == {ACCOUNT}


def test_decision_about_an_identifier_that_was_not_read_opens_nothing():
    decisions = [ManualDecision(DecisionKind.MERGE, ACCOUNT, CARD, day(1), 1)]

    assert list(attached_by_people({ACCOUNT: identifier(ACCOUNT)}, decisions, frozenset())) == []


def test_link_to_an_identifier_that_was_not_read_opens_nothing():
    named = [identifier(MAILBOX), identifier(ACCOUNT)]

    assert ids(opened([MAILBOX], [link(MAILBOX, SECOND, CONFIRMED)], named)) == [{MAILBOX}]
