"""The warning about statements that the rules refused, as a function of the refused links."""

import pytest

from customers import sql
from customers.identity.contest_warnings import count_contests
from customers.identity.links import IdentifierKey
from customers.identity.resolved import ResolvedIdentifier
from customers.identity.statements import StatedEvent
from customers.types import CLAIMED, NOTED, STATED, VERIFIED, Sender
from tests.factories import identify

SHOP = Sender(7, "Shop", "server", is_trusted=True, is_secret=True)
NAMED = Sender(7, "Shop", "server", is_trusted=True, is_secret=True, space_id=5, space="account")
PAGE = Sender(7, "Shop", "site")
ACCOUNT = IdentifierKey("user_id", "7/noor", VERIFIED)
OTHER = IdentifierKey("user_id", "7/sam", VERIFIED)
MAILBOX = IdentifierKey("email", "noor@larkmoor.nl", VERIFIED)
DEVICE = IdentifierKey("device", "tablet", CLAIMED)
# The mailbox has the smallest number: links are stored with the smaller one first.
RESOLVED = {
    key: ResolvedIdentifier(id_, None, None, 0)
    for id_, key in enumerate((MAILBOX, ACCOUNT, OTHER, DEVICE), 1)
}
EVENTS = [
    StatedEvent(identify(), keys, 1)
    for keys in ((OTHER, DEVICE), (ACCOUNT, MAILBOX), (OTHER, MAILBOX), (ACCOUNT, MAILBOX))
]


@pytest.fixture
def refused(monkeypatch):
    """The refused links of the sender, as the database returns them."""
    links = []
    monkeypatch.setattr(sql, "rows", lambda _, params: list(links))
    return links


def warnings(sender=SHOP, contested=frozenset({9})):
    return [
        (warning.code, warning.count, warning.example)
        for warning in count_contests(contested, EVENTS, RESOLVED, sender)
    ]


def test_sender_reads_how_many_statements_were_refused_and_the_first_one(refused):
    refused.append((1, 2, "seen", STATED))

    assert warnings() == [("contested", 2, EVENTS[1].event.message_id)]


def test_link_with_a_device_is_no_contest(refused):
    refused.append((3, 4, "seen", STATED))

    assert warnings() == []


def test_link_of_other_evidence_was_not_refused_for_these_events(refused):
    refused.append((1, 2, "seen", NOTED))

    assert warnings() == []


def test_publishable_key_reads_no_warning(refused):
    refused.append((1, 2, "seen", CLAIMED))

    assert warnings(PAGE) == []


def test_batch_without_a_contest_asks_nobody(refused):
    refused.append((1, 2, "seen", STATED))

    assert warnings(contested=frozenset()) == []


def test_statements_about_an_equal_number_of_a_named_space_are_counted(refused):
    refused.append((2, 9, "equal", STATED))

    assert warnings(NAMED) == [("contested", 2, EVENTS[1].event.message_id)]


def test_equal_number_of_main_is_no_contest(refused):
    refused.append((2, 9, "equal", STATED))

    assert warnings(SHOP) == []
