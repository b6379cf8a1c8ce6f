"""Puts the identifier on which an event is filed before its other identifiers."""

from collections.abc import Sequence, Set
from uuid import UUID

from customers import sql
from customers.identity.families import ORDER
from customers.identity.links import IdentifierKey
from customers.identity.resolved import Resolved
from customers.projections import orders
from customers.types import IncomingEvent

# Events that change an existing order.
_ORDER_CHANGES = orders.NAMES - {orders.PLACED}


def put_placeholders_last(
    keys_by_event: list[tuple[IdentifierKey, ...]], resolved: Resolved
) -> list[tuple[IdentifierKey, ...]]:
    """File no event on a placeholder if it names another identifier."""
    placeholders = {key for key, row in resolved.items() if row.is_placeholder}
    if not placeholders:
        return keys_by_event
    return [tuple(sorted(keys, key=lambda key: key in placeholders)) for keys in keys_by_event]


def put_changed_orders_first(
    events: Sequence[IncomingEvent],
    keys_by_event: Sequence[tuple[IdentifierKey, ...]],
    resolved: Resolved,
) -> list[tuple[IdentifierKey, ...]]:
    """File a change of an order on the order, unless it names a customer who placed it.

    The change then goes to the record of the order, even if it names another customer or arrives
    before the order.
    """
    if all(event.name not in _ORDER_CHANGES for event in events):
        return list(keys_by_event)
    events_with_keys = list(zip(events, keys_by_event, strict=True))
    placed_now = {
        (_order_of(keys), keys[0])
        for event, keys in events_with_keys
        if event.name == orders.PLACED and keys
    }
    is_change = [
        event.name in _ORDER_CHANGES
        and (order := _order_of(keys)) is not None
        and (order, keys[0]) not in placed_now
        for event, keys in events_with_keys
    ]
    changed = {
        _order_of(keys) for keys, changes in zip(keys_by_event, is_change, strict=True) if changes
    }
    placers = _find_placers({order for order in changed if order}, resolved)
    return [
        tuple(sorted(keys, key=lambda key: key.kind != ORDER))
        if changes and not _is_placer(keys, placers, resolved)
        else keys
        for keys, changes in zip(keys_by_event, is_change, strict=True)
    ]


def _order_of(keys: tuple[IdentifierKey, ...]) -> IdentifierKey | None:
    return next((key for key in keys if key.kind == ORDER), None)


def _find_placers(
    order_keys: Set[IdentifierKey], resolved: Resolved
) -> set[tuple[IdentifierKey, UUID]]:
    """Return the orders that are known, each with every customer who placed it."""
    by_id = {resolved[key].id: key for key in order_keys if key in resolved}
    rows = sql.rows("find_order_placers", {"ids": sorted(by_id)}) if by_id else []
    return {(by_id[order], customer) for order, customer in rows}


def _is_placer(
    keys: tuple[IdentifierKey, ...],
    placers: Set[tuple[IdentifierKey, UUID]],
    resolved: Resolved,
) -> bool:
    """Tell whether the first identifier of a change leads to a customer who placed its order."""
    order, person = _order_of(keys), resolved.get(keys[0])
    return order is not None and person is not None and (order, person.customer_id) in placers
