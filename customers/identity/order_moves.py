"""Moves the events of an order to the customer whom the order is for.

The source that placed an order, or an owner of its space, names another customer in *Order Updated*
or *Order Amended*. `order_placement` computes whom the order belongs to. This module files the events
of the order on the identifier of that customer, so that the whole order leaves the first record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.events import log
from customers.identity import graph, refiling
from customers.identity.refiling import EventPlace
from customers.projections import orders, registry
from customers.projections.order_requests import ORDER_SOURCE_ID
from customers.projections.registry import Subject
from customers.types import ORDER_MOVED

# The requests of customers about an order.
_REQUESTS = frozenset({orders.REQUESTED, *orders.GRANTED})
# The reason of a re-filing, as the logs of both records have it.
NUMBER_USED_AGAIN = "order number used again"


class _Move(NamedTuple):
    """The events of one order that are filed on a customer whom it left."""

    source_id: int
    customer_id: UUID
    target_id: int
    # The live record that it left.
    former_id: UUID
    places: list[EventPlace]


def follow_moves(order_ids: Collection[int], *, now: datetime) -> int:
    """File the events of moved orders with their customers; return the number of moved events.

    order_ids: the orders that events or people name, which stand for all orders with their numbers
    """
    moves = _read_locked_moves(order_ids) if order_ids else []
    if not moves:
        return 0
    targets = {place: move.target_id for move in moves for place in move.places}
    moved = refiling.refile(targets, reason=ORDER_MOVED, actor="", now=now)
    _note_moves(moves, now)
    return len(moved)


def file_named_events(order_ids: Collection[int], *, now: datetime) -> int:
    """File events of orders with several customers on the customer whom each names.

    Returns the number of moved events. They arrived before the second order of the source with the
    number. Without it, they would mean the only one.

    order_ids: the orders that events name or that are regrouped
    """
    if not order_ids:
        return 0
    rows = sql.rows("read_named_order_events", {"ids": sorted(order_ids)})
    targets = {EventPlace(log_id, version): target_id for log_id, version, target_id in rows}
    return len(refiling.refile(targets, reason=NUMBER_USED_AGAIN, actor="", now=now)) if rows else 0


def _read_locked_moves(order_ids: Collection[int]) -> list[_Move]:
    """Read the moves again after the lock of the former records: a writer may have had the lock."""
    locked: set[UUID] = set()
    moves = _read_moves(order_ids)
    while graph.lock_missing({move.former_id for move in moves}, locked):
        moves = _read_moves(order_ids)
    return moves


def _read_moves(order_ids: Collection[int]) -> list[_Move]:
    params = {"ids": sorted(order_ids)}
    places: defaultdict[tuple[int, int, UUID, int, UUID], list[EventPlace]] = defaultdict(list)
    for *move, log_id, version in sql.rows("read_moved_orders", params):
        places[tuple(move)].append(EventPlace(log_id, version))
    return [_Move(*move[1:], of_order) for move, of_order in sorted(places.items())]


def _note_moves(moves: Iterable[_Move], now: datetime) -> None:
    """Say on the new logs that orders moved, and which requests of the former customers end.

    A later event of the order may name the former customer. It moves, and ends no request.
    """
    places = {place: move for move in moves for place in move.places}
    params = {
        "logs": [place.log for place in places],
        "versions": [place.version for place in places],
    }
    requests: defaultdict[tuple[Subject, int], list[str]] = defaultdict(list)
    for log_id, version, name, about, message_key in sql.rows("read_named_events", params):
        move = places[EventPlace(log_id, version)]
        order = Subject(move.customer_id, about), move.source_id
        if name in _REQUESTS:
            requests[order].append(str(message_key))
        elif name == orders.PLACED:
            requests.setdefault(order, [])
    events = [
        _moved_event(subject, source_id, sorted(ids), now)
        for (subject, source_id), ids in sorted(requests.items())
    ]
    log.append_internal_events(events, actor="", now=now)
    registry.project(subject for subject, _ in requests)


def _moved_event(
    subject: Subject, source_id: int, request_ids: Sequence[str], now: datetime
) -> log.InternalEvent:
    properties = {
        "order_id": subject.about.removeprefix(orders.PREFIX),
        ORDER_SOURCE_ID: source_id,
        "requests": request_ids,
    }
    return log.InternalEvent(
        subject.customer_id, "track", orders.MOVED, properties, now, subject.about
    )
