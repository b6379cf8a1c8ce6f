"""Groups of ten thousand links at one identifier. The seconds are printed, and not asserted."""

import time

import pytest

from customers.identity.grouping import group
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
)
from customers.types import STATED
from tests.customers.identity.statements import SHOP_SPACE, day, mailbox, number, phone

COUNT = 10_000
MAILBOX = mailbox("info")._replace(id=COUNT)
PHONE = phone("switchboard")._replace(id=COUNT)
ACCOUNTS = [number("shop", str(id_), SHOP_SPACE)._replace(id=id_) for id_ in range(COUNT)]
CARDS = [IdentifierNode(id_, "card", f"card-{id_}") for id_ in range(COUNT)]


def link(first, second, kind=LinkKind.TOGETHER):
    return IdentifierLink(first, second, STATED, kind, occurred_at=day(0), arrival=first)


def separation(id_):
    return ManualDecision(DecisionKind.SEPARATE, id_, COUNT, day(1), id_)


TO_ONE = [link(id_, COUNT) for id_ in range(COUNT)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nodes", "links", "decisions", "count"),
    [
        pytest.param([MAILBOX, *ACCOUNTS], TO_ONE, [], COUNT, id="accounts of one mailbox"),
        pytest.param([MAILBOX, *CARDS], TO_ONE, [], 1, id="cards of one mailbox"),
        pytest.param([PHONE, *ACCOUNTS], TO_ONE, [], COUNT + 1, id="accounts with one phone"),
        pytest.param(
            *(ACCOUNTS, [link(id_, id_ + 1, LinkKind.ALIAS) for id_ in range(COUNT - 1)], [], 1),
            id="aliases in a chain",
        ),
        pytest.param(
            *([MAILBOX, *ACCOUNTS], TO_ONE, [separation(id_) for id_ in range(COUNT - 1)], COUNT),
            id="accounts that staff separated from one mailbox",
        ),
    ],
)
def test_ten_thousand_links_of_one_identifier(nodes, links, decisions, count):
    began = time.process_time()

    groups = group(nodes, links, decisions).groups

    print(f"{time.process_time() - began:.2f} s")
    assert len(groups) == count
