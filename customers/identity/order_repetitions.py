"""Finds events that repeat an order for another customer, with the same time and lines.

A source that sends an order twice may name the customer differently: by the address first, and by
the account later. This is one order, and it stays with the customer whom the first event names.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from customers import sql
from customers.identity.links import LinkKind
from customers.identity.order_ownership import OrderMention
from customers.projections.order_lines import OrderLine
from customers.projections.order_statements import read_order

type Mentions = defaultdict[int, list[OrderMention]]


class _PlacingEvent(NamedTuple):
    """One event that places an order, with the identifiers that it names."""

    order_id: int
    identifier_ids: Sequence[int]
    occurred_at: datetime
    lines: list[OrderLine]

    def agrees_with(self, other: "_PlacingEvent") -> bool:
        """Tell whether both events place the same order. Events without lines never agree."""
        return (
            self.order_id == other.order_id
            and self.occurred_at == other.occurred_at
            and bool(self.lines)
            and self.lines == other.lines
        )


def without_repetitions(mentions: Mentions) -> Mentions:
    """Return the mentions; those by repetitions of an order have the kind TOGETHER, not PLACED.

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
            mention._replace(kind=LinkKind.TOGETHER) if mention in repetitions else mention
            for mention in mentions[order_id]
        ]
    return mentions


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
            row.agrees_with(other)
            for row in placed
            if mention.identifier_id in row.identifier_ids
            for other in of_first
        )
    }


def _read_placing_events(order_ids: Mapping[int, object]) -> list[_PlacingEvent]:
    rows = sql.rows("read_events_that_place_orders", {"ids": sorted(order_ids)})
    return [
        _PlacingEvent(order_id, identifier_ids, occurred_at, _lines(properties))
        for order_id, identifier_ids, occurred_at, properties in rows
    ]


def _lines(properties: str) -> list[OrderLine]:
    document = msgspec.json.decode(properties)
    return read_order(document, UTC, currency="").lines or [] if isinstance(document, dict) else []
