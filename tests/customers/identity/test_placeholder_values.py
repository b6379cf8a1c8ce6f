"""Which cards and numbers are placeholders, as a function of the links that owners stated."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from customers import sql
from customers.identity.attaching_links import AttachingLink
from customers.identity.graph import GraphRow, StoredLink
from customers.identity.links import IdentifierNode
from customers.identity.placeholders import find_placeholders
from customers.types import CONFIRMED, NOTED, STATED
from tests.customers.identity.statements import day

CARD = 1


def row(kind="card", **fields):
    """Return the stored identifier with the number CARD."""
    columns = dict.fromkeys(GraphRow._fields, 0) | {"id": CARD, "kind": kind, "value": "7/1"}
    return GraphRow(**columns | fields)


def says(kind, ids: Iterable[int], evidence=STATED, days=1):
    """Return a statement of the card with each of these mailboxes or accounts, some days apart."""
    return [
        AttachingLink(
            CARD, stored(id_, evidence, id_ * days), IdentifierNode(id_, kind, "7/x"), None
        )
        for id_ in ids
    ]


def stored(other, evidence, at):
    moment = day(0) + timedelta(days=at)
    return StoredLink(0, CARD, other, evidence, "seen", moment, 0, 7, "attached", moment)


@pytest.fixture
def mailbox_of(monkeypatch):
    """The mailbox that was stated first with each account, as the database would answer."""
    mailboxes = {}
    monkeypatch.setattr(sql, "rows", lambda _, params: [*mailboxes.items()])
    return mailboxes


@pytest.mark.parametrize(
    ("identifier", "is_placeholder"),
    [
        pytest.param(row(), True, id="a card"),
        pytest.param(row("user_id", has_several_ids=True), True, id="a contract number"),
        pytest.param(row("phone"), False, id="a phone never"),
        pytest.param(row("user_id"), False, id="an account is found by its addresses"),
        pytest.param(row(is_placeholder=True), False, id="a placeholder is found once"),
    ],
)
def test_value_that_owners_state_with_six_mailboxes(identifier, is_placeholder):
    placeholders = find_placeholders([identifier], says("email", range(11, 17)))

    assert placeholders == ({CARD} if is_placeholder else set())


@pytest.mark.parametrize(
    "links",
    [
        pytest.param(says("email", range(11, 16)), id="five mailboxes"),
        pytest.param(says("email", range(11, 17), days=74), id="six mailboxes in over a year"),
        pytest.param(says("email", range(11, 17), NOTED), id="six mailboxes of tills"),
        pytest.param(says("email", range(11, 17), CONFIRMED), id="six proofs"),
        pytest.param(says("email", [11] * 9), id="one mailbox, nine times"),
    ],
)
def test_card_that_is_no_placeholder(links):
    assert find_placeholders([row()], links) == set()


def test_account_counts_as_its_first_mailbox(mailbox_of):
    accounts = says("user_id", range(21, 27))
    mailbox_of |= {account: account + 100 for account in range(21, 27)}
    assert find_placeholders([row()], accounts) == {CARD}

    mailbox_of |= dict.fromkeys(range(21, 27), 121)
    assert find_placeholders([row()], accounts) == set()


def test_account_without_a_mailbox_does_not_count(mailbox_of):
    assert find_placeholders([row()], says("user_id", range(21, 27))) == set()
