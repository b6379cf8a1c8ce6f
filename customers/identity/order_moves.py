"""Re-files the events of an order on the customer to whom the order moved.

The source that placed an order, or an owner of its space, names another customer in *Order Updated*
or *Order Amended*. `order_assignment` computes the new record of the order. This module files the events
of the order on an identifier of that customer, so that the whole order leaves the first record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.events import log
from customers.identity import graph, merging, refiling
from customers.identity.families import ORDER
from customers.identity.links import IdentifierKey
from customers.identity.record_creation import StoredIdentifiers
from customers.identity.refiling import EventPlace
from customers.projections import orders, registry
from customers.projections.order_requests import ORDER_SOURCE_ID
from customers.projections.registry import Subject
from customers.types import ORDER_MOVED, VERIFIED

# The requests of customers about an order.
_REQUESTS = frozenset({orders.REQUESTED, *orders.CHANGE_OF_REQUEST})
# The reason of a re-filing, which the logs of both records store.
NUMBER_USED_AGAIN = "order number used again"


class _Move(NamedTuple):
    """The events of one moved order that are still filed on one of its former customers."""

    source_id: int
    customer_id: UUID
    # The identifier on which the events are filed.
    target_id: int
    # The live record that the order left.
    former_id: UUID
    places: list[EventPlace]


def move_orders(
    events: Iterable[tuple[str, Iterable[IdentifierKey]]],
    created: StoredIdentifiers,
    stored_orders: Set[IdentifierKey],
    *,
    now: datetime,
) -> None:
    """Move orders to the customers whom new events name.

    events: the names of new events with their identifiers
    stored_orders: the orders that were stored before these events
    """
    named = [
        (name, key)
        for name, keys in events
        for key in keys
        if key.kind == ORDER and key.evidence == VERIFIED
    ]
    orders_of_several = {
        order.id
        for name, key in named
        if name == orders.PLACED
        if (order := created.resolved[key]).is_shared
        or order.id in created.orders_of_several_sources
    }
    if orders_of_several:
        # Now that the events are on the logs, the regrouping finds events that repeat an order.
        merging.regroup(orders_of_several, now=now)
        refile_events_that_name_customers(orders_of_several, now=now)
    movable = {
        created.resolved[key].id
        for name, key in named
        if key in stored_orders or name in orders.MOVING
    }
    refile_moved_orders(movable | created.moving_orders | orders_of_several, now=now)


def refile_moved_orders(order_ids: Collection[int], *, now: datetime) -> int:
    """File the events of moved orders on their new customers; return the number of these events.

    order_ids: identifiers of orders. All orders with the same numbers are examined
    """
    moves = _read_locked_moves(order_ids) if order_ids else []
    if not moves:
        return 0
    targets = {place: move.target_id for move in moves for place in move.places}
    moved = refiling.refile(targets, reason=ORDER_MOVED, actor="", now=now)
    _record_moves(moves, now)
    return len(moved)


def refile_events_that_name_customers(order_ids: Collection[int], *, now: datetime) -> int:
    """File events on the customer whom they name, if a source used their order number several times.

    Such events arrived before the second order with the number. Until then, the number meant the only
    order, and the events were filed on the number. Returns the number of events that are filed now.

    order_ids: identifiers of orders
    """
    if not order_ids:
        return 0
    rows = sql.rows("find_order_events_that_name_customers", {"ids": sorted(order_ids)})
    targets = {EventPlace(log_id, version): target_id for log_id, version, target_id in rows}
    return len(refiling.refile(targets, reason=NUMBER_USED_AGAIN, actor="", now=now)) if rows else 0


def _read_locked_moves(order_ids: Collection[int]) -> list[_Move]:
    """Lock the former records and read the moves again, because another writer may have changed them."""
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


def _record_moves(moves: Iterable[_Move], now: datetime) -> None:
    """Append *Order Moved* to the logs of the new customers, with the requests that end thereby.

    A later event of a moved order, which names the former customer, is filed again without this event.
    """
    places = {place: move for move in moves for place in move.places}
    params = {
        "logs": [place.log for place in places],
        "versions": [place.version for place in places],
    }
    requests: defaultdict[tuple[Subject, int], list[str]] = defaultdict(list)
    for log_id, version, name, about, message_key in sql.rows("read_event_names", params):
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
