"""A mailbox that was silent for a year opens only what is later than its silence."""

from uuid import UUID

import pytest

from customers.types import CONFIRMED, STATED
from tests.customers.identity.statements import day
from tests.customers.identity.test_opening_rules import (
    ACCOUNT,
    CARD,
    MAILBOX,
    SECOND,
    identifier,
    ids,
    link,
    opened,
)

SILENT_UNTIL = day(10)
RECORDS = {id_: UUID(int=100 + id_) for id_ in (MAILBOX, ACCOUNT)}


def open_after_silence(*links, proved=(MAILBOX,)):
    """Open what a proof of the silent mailbox opens."""
    ends = {end for stated in links for end in (stated.first, stated.second)} | {MAILBOX, *proved}
    named = [identifier(id_) for id_ in ends - {MAILBOX}]
    silent = identifier(MAILBOX)._replace(silent_until=SILENT_UNTIL)
    return opened(proved, links, [silent, *named])


def says(first, second, evidence=CONFIRMED, at=20):
    return link(first, second, evidence)._replace(stated_at=at and day(at))


@pytest.mark.parametrize(("at", "opens"), [(9, False), (10, True), (20, True), (None, False)])
def test_account_opens_if_it_was_stated_after_the_silence(at, opens):
    opening = open_after_silence(says(MAILBOX, ACCOUNT, at=at))

    assert ids(opening) == [{MAILBOX, ACCOUNT} if opens else {MAILBOX}]
    assert opening.closed_accounts == (() if opens else (ACCOUNT,))


@pytest.mark.parametrize(("at", "opens"), [(9, False), (20, True)])
def test_card_opens_if_it_was_confirmed_after_the_silence(at, opens):
    assert ids(open_after_silence(says(MAILBOX, CARD, at=at))) == [
        {MAILBOX, CARD} if opens else {MAILBOX}
    ]


def test_only_account_that_states_the_mailbox_since_then_opens():
    links = [says(MAILBOX, ACCOUNT, STATED, at=1), says(MAILBOX, SECOND, STATED, at=20)]

    opening = open_after_silence(*links)

    assert ids(opening) == [{MAILBOX, SECOND}]
    assert opening.newly_opened == ((MAILBOX, SECOND),)


def test_events_of_the_mailbox_from_before_stay_closed():
    [record] = open_after_silence(says(MAILBOX, ACCOUNT)).records

    assert (record.record_ids, record.later_record_ids) == ({RECORDS[ACCOUNT]}, {RECORDS[MAILBOX]})
    assert (record.addresses, record.later_addresses) == (frozenset(), {"7/1"})
    assert record.opened_since == SILENT_UNTIL
    assert not record.is_whole
    assert not record.has_contact


def test_mailbox_that_a_proved_account_confirmed_is_not_silent():
    [record] = open_after_silence(says(MAILBOX, ACCOUNT, at=1), proved=(MAILBOX, ACCOUNT)).records

    assert record.record_ids == {*RECORDS.values()}
    assert record.addresses == {"7/1"}
    assert record.opened_since is None
