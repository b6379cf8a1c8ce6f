"""Statements about a few identifiers, and the records that they give in every order of arrival.

Values are names that read well: "shop/noor" is the number `noor` of the source `shop`.
"""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import NamedTuple

from customers.identity.grouping import group
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
)
from customers.types import CONFIRMED, STATED

_START = datetime(2026, 1, 1, tzinfo=UTC)


class Space(NamedTuple):
    id: int
    is_named: bool = True
    has_several_ids: bool = False


MAIN = Space(1, is_named=False)
SHOP_SPACE = Space(2)
APP_SPACE = Space(3)
CONTRACTS_SPACE = Space(4, has_several_ids=True)
MAIN_CONTRACTS_SPACE = Space(5, is_named=False, has_several_ids=True)


class Statement(NamedTuple):
    """A link or a decision between two identifiers, which have no ids yet."""

    first: IdentifierNode
    second: IdentifierNode
    fields: dict


class Records(NamedTuple):
    """Records as "mailbox + account", and pairs of contested links as "mailbox / account"."""

    records: set
    contested: set
    ambiguous: set


def day(number):
    return _START + timedelta(days=number)


def number(source, value, space, kind="user_id", **fields):
    return IdentifierNode(
        0,
        kind,
        f"{source}/{value}",
        space_id=space.id,
        has_named_space=space.is_named,
        has_several_ids=space.has_several_ids,
        **fields,
    )


def shop(value, **fields):
    return number("shop", value, SHOP_SPACE, **fields)


def site(value, **fields):
    """Return a number of a second source of the shop's space."""
    return number("site", value, SHOP_SPACE, **fields)


def app(value, **fields):
    return number("app", value, APP_SPACE, **fields)


def till(value, **fields):
    """Return a number of the shop's space that a till typed."""
    return number("till", value, SHOP_SPACE, is_noted=True, **fields)


def contract(value, source="contracts", **fields):
    return number(source, value, CONTRACTS_SPACE, kind="external:contract", **fields)


def mailbox(name, **fields):
    return IdentifierNode(0, "email", f"{name}@", **fields)


def card(name, **fields):
    return IdentifierNode(0, "card", name, **fields)


def phone(name):
    return IdentifierNode(0, "phone", name)


def device(name):
    return IdentifierNode(0, "anonymous_id", name)


def order(name):
    return IdentifierNode(0, "order", name)


def says(first, second, evidence=STATED, at=1, **fields):
    """Return the statement that two identifiers came in one event, on a day.

    Earlier statements arrive later, so that a test fails where the arrival decides.
    """
    defaults = {"evidence": evidence, "occurred_at": day(at), "arrival": -at, "source_id": 1}
    return Statement(first, second, defaults | fields)


def equal(first, second, evidence=STATED, at=1):
    """Return the link between equal numbers of two sources of one space."""
    return says(first, second, evidence, at, kind=LinkKind.EQUAL)


def alias(first, second, evidence=STATED, at=1):
    return says(first, second, evidence, at, kind=LinkKind.ALIAS)


def own_proof(first, second, at=1, again=None):
    """Return the proof of both identifiers in one session of the customer.

    again: the day of a later session with the same proof
    """
    return says(first, second, CONFIRMED, at, own_proof_at=day(again or at))


def merge(first, second, at=1):
    return Statement(first, second, {"kind": DecisionKind.MERGE, "decided_at": day(at)})


def separate(first, second, at=1):
    return Statement(first, second, {"kind": DecisionKind.SEPARATE, "decided_at": day(at)})


def filed_on(*nodes):
    """Return the identifier that an event with these identifiers is filed on."""
    return min(nodes, key=lambda node: node.rank)


def outcome(*statements, alone=()):
    """Return the records by these statements, the same in every order of arrival.

    alone: identifiers without a statement
    """
    ends = [end for statement in statements for end in (statement.first, statement.second)]
    nodes = list(dict.fromkeys([*ends, *alone]))
    orders = product((nodes, nodes[::-1]), (statements, statements[::-1]), (1, -1))
    outcomes = [_outcome(*order_of_arrival) for order_of_arrival in orders]
    assert all(other == outcomes[0] for other in outcomes), "the order of arrival matters"
    return outcomes[0]


def records(*statements, alone=()):
    return outcome(*statements, alone=alone).records


def record_of(node, *statements):
    """Return the record that has this identifier, as "mailbox + account"."""
    grouped = records(*statements, alone=[node])
    return next(group for group in grouped if node.value in group.split(" + "))


def _outcome(nodes, statements, direction):
    """Group in one order: of the ids, of the statements, and of the nodes in the list."""
    ids = {node: id_ for id_, node in enumerate(nodes, start=1)}
    label = {id_: node.value for node, id_ in ids.items()}
    links, decisions = [], []
    for place, (first, second, fields) in enumerate(statements):
        pair = sorted((ids[first], ids[second]))
        if "decided_at" in fields:
            decisions.append(ManualDecision(first=pair[0], second=pair[1], number=place, **fields))
        else:
            links.append(IdentifierLink(*pair, **fields))
    grouping = group(
        [node._replace(id=id_) for node, id_ in ids.items()][::direction], links, decisions
    )
    return Records(
        {" + ".join(sorted(label[id_] for id_ in members)) for members in grouping.groups},
        {" / ".join(sorted(label[id_] for id_ in link.pair)) for link in grouping.contested},
        {label[id_] for id_ in grouping.ambiguous},
    )
