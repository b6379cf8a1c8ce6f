"""Random identifiers, links and decisions for the laws of the grouping."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import NamedTuple

from hypothesis import strategies as st

from customers.identity.families import JOINING_FAMILIES, Family
from customers.identity.grouping import Grouping, group
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
)
from customers.types import CLAIMED, CONFIRMED, NOTED, OPENED, STATED
from tests.customers.identity.statements import (
    APP_SPACE,
    CONTRACTS_SPACE,
    MAIN,
    SHOP_SPACE,
    card,
    device,
    mailbox,
    number,
    order,
    phone,
)

_START = datetime(2026, 1, 1, tzinfo=UTC)
# Sources that number the same customers: two in `main`, two in a named space, and a till.
_NUMBERS = [
    *(number(source, value, MAIN) for source in ("a", "b") for value in ("1", "2")),
    *(number(source, value, SHOP_SPACE) for source in ("shop", "site") for value in ("1", "2")),
    *(number("shop", value, SHOP_SPACE, kind="external:crm") for value in ("8", "9")),
    number("a", "8", MAIN, kind="external:crm"),
    *(number("till", value, SHOP_SPACE, is_noted=True) for value in ("1", "2")),
    number("shop", "3", SHOP_SPACE, is_placeholder=True),
    number("app", "1", APP_SPACE),
    *(number(source, "7", CONTRACTS_SPACE) for source in ("contracts", "desk")),
]
_OTHERS = [
    *map(mailbox, ("family", "work", "home")),
    *map(card, ("card-1", "card-2")),
    *map(phone, ("phone-1", "phone-2")),
    *map(device, ("tablet", "laptop")),
    order("order-1"),
]
STRONG = (STATED, STATED, OPENED, CONFIRMED)
WEAK = (CLAIMED, NOTED)


class Graph(NamedTuple):
    nodes: list[IdentifierNode]
    links: list[IdentifierLink]
    decisions: list[ManualDecision]

    @property
    def by_id(self):
        return {node.id: node for node in self.nodes}

    def families(self, pair):
        return {self.by_id[id_].family for id_ in pair}

    def grouping(self) -> Grouping:
        return group(self.nodes, self.links, self.decisions)

    def groups(self):
        return set(self.grouping().groups)

    def plus(self, *links):
        return self._replace(links=[*self.links, *links])

    @property
    def address_pairs(self):
        """The pairs of an account and a mailbox that some link names."""
        return {link.pair for link in self.links if self.families(link.pair) == JOINING_FAMILIES}


def as_sets(grouping):
    return set(grouping.groups), set(grouping.contested), grouping.ambiguous


def _numbers_up_to(*limits):
    return st.tuples(*(st.integers(0, limit) for limit in limits))


# Numbers that choose the pair of ends, evidence, kind, day, arrival, source and state of a link.
CHOICES = _numbers_up_to(35, 5, 7, 3, 2, 1, 3)
_DECISIONS = st.lists(_numbers_up_to(35, 1, 3), max_size=3)
_NODES = st.lists(st.sampled_from(_NUMBERS + _OTHERS), min_size=2, max_size=9, unique=True)
_LINKS = st.lists(CHOICES, min_size=1, max_size=12)


@st.composite
def graphs(draw):
    """Return a graph that a database could hold; times are equal often."""
    nodes = [node._replace(id=id_) for id_, node in enumerate(draw(_NODES), start=1)]
    evidence = (*STRONG, *WEAK)
    links = [link for choices in draw(_LINKS) for link in links_between(nodes, choices, evidence)]
    decisions = [
        ManualDecision(
            list(DecisionKind)[kind],
            *_pair(nodes, pair),
            _START + timedelta(days=days),
            number=place,
        )
        for place, (pair, kind, days) in enumerate(draw(_DECISIONS))
    ]
    return Graph(nodes, list(dict.fromkeys(links)), decisions)


def _pair(nodes, choice):
    pairs = list(combinations(range(1, len(nodes) + 1), 2))
    return pairs[choice % len(pairs)]


def links_between(nodes, choices, evidence):
    """Return a link of a kind that its ends allow, or nothing if they allow none."""
    pair, strength, kind, days, arrival, source, state = choices
    first, second = (nodes[id_ - 1] for id_ in _pair(nodes, pair))
    families = {first.family, second.family}
    strength = evidence[strength % len(evidence)]
    if strength == OPENED and families != JOINING_FAMILIES:
        strength = CONFIRMED
    kinds = link_kinds(first, second)
    if not kinds:
        return []
    kind = kinds[kind % len(kinds)]
    is_address = kind == LinkKind.TOGETHER and families == JOINING_FAMILIES
    is_own_proof = state == 2 and kind == LinkKind.TOGETHER and strength == CONFIRMED
    link = IdentifierLink(
        first.id,
        second.id,
        strength,
        kind,
        occurred_at=_START + timedelta(days=days),
        arrival=arrival,
        source_id=source,
        is_current=not (state == 1 and is_address),
        own_proof_at=_START + timedelta(days=days + arrival) if is_own_proof else None,
    )
    return [link]


def link_kinds(first, second):
    """Return the kinds of links that may lead from one to the other, the usual ones often."""
    families = {first.family, second.family}
    if families <= {Family.ACCOUNT, Family.ATTACHED} and first.source != second.source:
        is_equal = (first.kind, first.space_id, first.number) == (
            *(second.kind, second.space_id, second.number),
        )
        if first.source and second.source:
            # Only equal numbers link two sources: an event has the numbers of one source.
            return [LinkKind.EQUAL] if is_equal else []
    if Family.REFERENCE in families:
        return [LinkKind.TOGETHER, LinkKind.PLACED]
    return [LinkKind.TOGETHER] * 7 + [LinkKind.ALIAS]
