"""Numbers attached to cards, and cards to accounts: no statement takes a proved link of a chain."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.events.log import BUTLER_SOURCE_ID
from customers.identity import decisions, merging
from customers.identity.families import Family
from customers.identity.link_storage import LinkKey, store_links
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    LinkKind,
    LinkTime,
    ManualDecision,
    pair_of,
)
from customers.models import Identifier, Source
from customers.types import CONFIRMED, STATED
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import WireSource
from tests.customers.identity.graphs import Graph
from tests.customers.identity.statements import (
    app,
    card,
    contract,
    day,
    mailbox,
    own_proof,
    records,
    says,
    separate,
    shop,
    site,
)
from tests.size import examples

NODES = [
    *(shop("1"), shop("2"), site("1"), app("1"), app("2")),
    *(mailbox("family"), mailbox("work"), card("card-1"), card("card-2")),
    *(contract("77"), contract("77", source="desk")),
]
SHOP, SITE = shop("1"), site("1")
FAMILY, WORK, CARD, CONTRACT = mailbox("family"), mailbox("work"), card("card-1"), contract("77")
PAIRS = st.lists(st.integers(0, len(NODES) - 1), min_size=2, max_size=2, unique=True).map(sorted)


@st.composite
def chains(draw):
    """Return identifiers with proved and stated links, and separations."""
    nodes = [node._replace(id=id_) for id_, node in enumerate(NODES, start=1)]
    links = [
        _link(nodes[first], nodes[second], is_proved=is_proved, at=at)
        for (first, second), is_proved, at in draw(
            st.lists(st.tuples(PAIRS, st.booleans(), st.integers(1, 3)), min_size=3, max_size=8)
        )
    ]
    separations = [
        ManualDecision(DecisionKind.SEPARATE, first + 1, second + 1, day(1), place)
        for place, (first, second) in enumerate(draw(st.lists(PAIRS, max_size=2)))
    ]
    return Graph(nodes, [link for link in links if link], separations)


def _link(first, second, *, is_proved, at):
    if first.source and second.source and first.source != second.source:
        if (first.kind, first.space_id, first.number) != (
            *(second.kind, second.space_id, second.number),
        ):
            return None
        return IdentifierLink(first.id, second.id, STATED, LinkKind.EQUAL, day(0))
    evidence = CONFIRMED if is_proved else STATED
    return IdentifierLink(
        first.id, second.id, evidence, occurred_at=day(0) + timedelta(days=at), source_id=2
    )


@settings(max_examples=examples(300, long=100_000), deadline=None)
@given(chains())
def test_no_statement_takes_a_proved_link_of_a_chain(graph):
    proofs = [
        link
        for link in graph.links
        if link.is_proved
        and link.kind == LinkKind.TOGETHER
        and graph.families(link.pair) != {Family.MAILBOX}
    ]
    joined, groups = graph._replace(links=proofs).groups(), graph.groups()

    for proof in proofs:
        if any(set(proof.pair) <= members for members in joined):
            assert any(set(proof.pair) <= members for members in groups)


def test_stated_address_takes_no_card_on_which_a_separated_contract_hangs():
    statements = [
        own_proof(WORK, CARD, at=3),
        own_proof(CARD, CONTRACT, at=4),
        says(WORK, SITE, at=1),
    ]

    assert records(*statements, separate(SITE, CONTRACT, at=5)) == {
        "card-1 + contracts/77 + work@",
        "site/1",
    }


def test_equal_number_takes_no_card_on_which_a_separated_contract_hangs():
    statements = [own_proof(CARD, SITE, at=3), own_proof(CARD, CONTRACT, at=4), says(SITE, FAMILY)]

    assert records(*statements, separate(CONTRACT, FAMILY, at=5)) == {
        "card-1 + contracts/77 + site/1",
        "family@",
    }


def test_contract_that_is_attached_to_a_separated_card_keeps_its_proved_mailbox():
    statements = [
        own_proof(CARD, CONTRACT, at=1),
        own_proof(CONTRACT, FAMILY, at=2),
        says(SHOP, FAMILY, at=1),
    ]

    assert records(*statements, separate(CARD, SHOP, at=5)) == {
        "card-1 + contracts/77 + family@",
        "shop/1",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_stored_chain_is_grouped_as_the_rules_say_in_every_order_of_arrival(order):
    sources = {
        "shop": WireSource("Shop", "site", ids="shop"),
        "contracts": WireSource("Contracts", "site", ids="contracts", per_person="several"),
    }
    sources["shop"].track(1, "noor")
    sources["shop"].track(1, traits={"email": "noor@example.com"})
    sources["shop"].track(1, traits={"card": "LF-7001"})
    sources["contracts"].track(1, "77")
    account, box = _id("user_id", "/noor"), _id("email", "noor@example.com")
    card_id, contract_id = _id("card", "7001"), _id("user_id", "/77")
    acts = [
        lambda: _store(box, card_id, CONFIRMED, 3),
        lambda: _store(card_id, contract_id, CONFIRMED, 4),
        lambda: _store(account, box, STATED, 1),
        lambda: decisions.decide("separate", account, contract_id, actor="staff:lin", now=day(5)),
    ]

    for place in order:
        acts[place]()

    record = dict(Identifier.objects.values_list("pk", "customer_id"))
    assert record[box] == record[card_id] == record[contract_id] != record[account]
    assert misplaced_identifiers() == []


def _id(kind, ending):
    return Identifier.objects.get(kind=kind, value__endswith=ending).pk


def _store(first, second, evidence, at):
    """Store a link as a proof of the customer or as a statement, and regroup its ends."""
    key = LinkKey(*pair_of(first, second), LinkKind.TOGETHER, evidence)
    source_id = BUTLER_SOURCE_ID if evidence == CONFIRMED else Source.objects.get(name="Shop").pk
    store_links({key: LinkTime(day(at), at, day(at))}, source_id, {key: "contested"})
    merging.regroup({first, second}, now=day(6))
