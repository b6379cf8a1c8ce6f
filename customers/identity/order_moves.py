"""Moves the events of an order to the customer whom the order is for.

The source that placed an order, or an owner of its space, names another customer in *Order Updated*
or *Order Amended*. `order_placement` computes whom the order belongs to. This module files the events
of the order on the identifier of that customer, so that the whole order leaves the first record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.events import log
from customers.identity import refiling
from customers.identity.refiling import EventPlace
from customers.projections import orders, registry
from customers.projections.registry import Subject
from customers.types import CUSTOMER_SOURCES, STAFF_SOURCES

# The reason of the re-filing, as the logs of both records have it.
REASON = "order moved"


class _Move(NamedTuple):
    """The events of one order that are filed on a customer whom it left."""

    customer_id: UUID
    target_id: int
    places: list[EventPlace]


def follow_moves(order_ids: Collection[int], *, now: datetime) -> int:
    """File the events of moved orders with their customers; return the number of moved events.

    order_ids: the orders that events or people name, which stand for all orders with their numbers
    """
    if not order_ids:
        return 0
    moves = _read_moves(order_ids)
    if not moves:
        return 0
    targets = {place: move.target_id for move in moves for place in move.places}
    moved = refiling.refile(targets, reason=REASON, actor="", now=now)
    _decline_requests(moves, now)
    return len(moved)


def _read_moves(order_ids: Collection[int]) -> list[_Move]:
    params = {"ids": sorted(order_ids), "sources": sorted(STAFF_SOURCES | CUSTOMER_SOURCES)}
    places: defaultdict[tuple[int, UUID, int], list[EventPlace]] = defaultdict(list)
    for order_id, customer_id, target_id, log_id, version in sql.rows("read_moved_orders", params):
        places[order_id, customer_id, target_id].append(EventPlace(log_id, version))
    return [
        _Move(customer_id, target_id, of_order)
        for (_, customer_id, target_id), of_order in sorted(places.items())
    ]


def _decline_requests(moves: Iterable[_Move], now: datetime) -> None:
    """Say on the new logs that the orders moved: open requests of the former customers end."""
    moves = list(moves)
    params = {
        "logs": [place.log for move in moves for place in move.places],
        "versions": [place.version for move in moves for place in move.places],
    }
    abouts = {EventPlace(*row[:2]): row[2] for row in sql.rows("read_abouts", params)}
    subjects = {Subject(move.customer_id, abouts[place]) for move in moves for place in move.places}
    events = [
        log.InternalEvent(
            subject.customer_id,
            "track",
            orders.MOVED,
            {"order_id": subject.about.removeprefix(orders.PREFIX)},
            now,
            subject.about,
        )
        for subject in sorted(subjects)
    ]
    log.append_internal_events(events, actor="", now=now)
    registry.project(subjects)
