"""Finds events that repeat an order, with the same time and lines.

A source that sends an order twice may name the customer differently: by the address first, and by
the account later. Two sources of a space, such as a shop and its till, may send the same sale. This
is one order, and it stays with the customer whom the first event names.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence, Set
from datetime import datetime
from typing import NamedTuple

import msgspec

from customers import sql
from customers.identity.links import LinkKind
from customers.identity.order_ownership import OrderMention
from customers.projections.order_placements import Placement, read_placement

type Mentions = defaultdict[int, list[OrderMention]]


class _PlacingEvent(NamedTuple):
    """One event that places an order, with the identifiers that it names."""

    order_id: int
    identifier_ids: Sequence[int]
    facts: Placement


def without_repetitions(mentions: Mentions) -> Mentions:
    """Return the mentions; those by events that repeat an order are TOGETHER, not PLACED.

    mentions: by the id of the identifier of the order
    """
    earliest = {order_id: _earliest_placements(of_order) for order_id, of_order in mentions.items()}
    several = {
        order_id: placements
        for order_id, placements in earliest.items()
        if len({mention.owner for mention in placements}) > 1
    }
    if not several:
        return mentions
    placed = _read_placing_events(several)
    for order_id, placements in several.items():
        repetitions = _repetitions(placements, [row for row in placed if row.order_id == order_id])
        mentions[order_id] = [
            _not_placing(mention) if mention in repetitions else mention
            for mention in mentions[order_id]
        ]
    return mentions


def without_other_sources(mentions: Mentions, numbers: Collection[Set[int]]) -> Mentions:
    """Return the mentions; those of orders that repeat one of an earlier source are TOGETHER, not PLACED.

    numbers: groups of orders with one number that several sources of one space placed
    """
    several = {order_id for order_ids in numbers for order_id in order_ids}
    events = _read_placing_events(several) if several else []
    for order_ids in numbers:
        earlier: list[Placement] = []
        for order_id in sorted(order_ids, key=lambda id_: _first_placement(mentions[id_])):
            placements = _earliest([event.facts for event in events if event.order_id == order_id])
            if any(facts.agrees_with(other) for facts in placements for other in earlier):
                mentions[order_id] = [_not_placing(mention) for mention in mentions[order_id]]
            earlier += placements
    return mentions


def _earliest(placements: Sequence[Placement]) -> list[Placement]:
    """Return the facts of the earliest events of an order. Later events of its source do not count."""
    first = min((placement.occurred_at for placement in placements), default=None)
    return [placement for placement in placements if placement.occurred_at == first]


def _first_placement(mentions: Iterable[OrderMention]) -> tuple[datetime, int, int]:
    return min(
        (mention.said_at, mention.arrival, mention.identifier_id)
        for mention in mentions
        if mention.kind == LinkKind.PLACED
    )


def _not_placing(mention: OrderMention) -> OrderMention:
    is_placing = mention.kind == LinkKind.PLACED
    return mention._replace(kind=LinkKind.TOGETHER) if is_placing else mention


def _earliest_placements(mentions: Iterable[OrderMention]) -> list[OrderMention]:
    """Return the mentions that place an order at the earliest time, in their order of arrival."""
    placements = sorted(
        (mention for mention in mentions if mention.kind == LinkKind.PLACED),
        key=lambda mention: (mention.said_at, mention.arrival, mention.identifier_id),
    )
    return [mention for mention in placements if mention.said_at == placements[0].said_at]


def _repetitions(
    placements: Sequence[OrderMention], placed: Sequence[_PlacingEvent]
) -> set[OrderMention]:
    """Return the mentions whose events repeat the order of the first one."""
    first, *others = placements
    of_first = [row for row in placed if first.identifier_id in row.identifier_ids]
    return {
        mention
        for mention in others
        if mention.owner != first.owner
        and any(
            row.facts.agrees_with(other.facts)
            for row in placed
            if mention.identifier_id in row.identifier_ids
            for other in of_first
        )
    }


def _read_placing_events(order_ids: Iterable[int]) -> list[_PlacingEvent]:
    rows = sql.rows("read_events_that_place_orders", {"ids": sorted(order_ids)})
    return [
        _PlacingEvent(order_id, identifier_ids, _facts(properties, occurred_at))
        for order_id, identifier_ids, occurred_at, properties in rows
    ]


def _facts(properties: str, occurred_at: datetime) -> Placement:
    document = msgspec.json.decode(properties)
    return read_placement(document if isinstance(document, dict) else {}, occurred_at)
