"""Finds the events that place an order again for another customer: time and lines agree.

A source that sends an order twice may name the customer differently: by the address first, and by
the account then. This is one order, and it stays with the customer whom the first event names.
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


class _Placement(NamedTuple):
    """One event that places an order, with the identifiers that it names."""

    order_id: int
    identifier_ids: Sequence[int]
    occurred_at: datetime
    lines: list[OrderLine]

    def agrees_with(self, other: "_Placement") -> bool:
        """Tell whether both events place one order. Without lines, nothing shows that."""
        return (
            self.order_id == other.order_id
            and self.occurred_at == other.occurred_at
            and bool(self.lines)
            and self.lines == other.lines
        )


def placed_once(mentions: Mentions) -> Mentions:
    """Return the mentions of orders, in which repetitions of an order place none.

    mentions: by the identifier of the order
    """
    at_first = {order_id: _at_first_time(of_order) for order_id, of_order in mentions.items()}
    several = {
        order_id: placements
        for order_id, placements in at_first.items()
        if len({mention.owner for mention in placements}) > 1
    }
    if not several:
        return mentions
    placed = _read_placements(several)
    for order_id, placements in several.items():
        repetitions = _repetitions(placements, [row for row in placed if row.order_id == order_id])
        mentions[order_id] = [
            mention._replace(kind=LinkKind.TOGETHER) if mention in repetitions else mention
            for mention in mentions[order_id]
        ]
    return mentions


def _at_first_time(mentions: Iterable[OrderMention]) -> list[OrderMention]:
    """Return the mentions that place an order at the time of the first one, which is first."""
    placements = sorted(
        (mention for mention in mentions if mention.kind == LinkKind.PLACED),
        key=lambda mention: (mention.said_at, mention.arrival, mention.identifier_id),
    )
    return [mention for mention in placements if mention.said_at == placements[0].said_at]


def _repetitions(
    placements: Sequence[OrderMention], placed: Sequence[_Placement]
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


def _read_placements(order_ids: Mapping[int, object]) -> list[_Placement]:
    rows = sql.rows("read_order_placements", {"ids": sorted(order_ids)})
    return [
        _Placement(order_id, identifier_ids, occurred_at, _lines(properties))
        for order_id, identifier_ids, occurred_at, properties in rows
    ]


def _lines(properties: str) -> list[OrderLine]:
    document = msgspec.json.decode(properties)
    return read_order(document, UTC, currency="").lines or [] if isinstance(document, dict) else []
