"""Places orders: finds the orders that a regrouping affects, and chooses the record of each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from uuid import UUID

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity.families import ORDER
from customers.identity.graph import GraphRow, Targets
from customers.identity.links import LinkKind
from customers.identity.order_ownership import OrderMention, OrderOwner, order_number, order_owner
from customers.types import VERIFIED, WEAK_KINDS

# An order that was sent with more identifiers than this is in doubt. Butler does not read them.
_MAX_MENTIONS = 1_000

# An order number, and the erasure of the order: an erased order is not the one of a later number.
type _Number = tuple[str, int]


def find_orders_to_place(
    rows: Sequence[GraphRow], targets: Mapping[int, UUID | None]
) -> tuple[list[GraphRow], set[int]]:
    """Return the additional orders to place again, and the ids of those that staff merged.

    These are the orders linked to the moved identifiers, and all orders with the same numbers. They
    exclude the orders in `rows`.
    """
    # The identifier of a record that was created just now already names that record.
    moved = [
        row.id
        for row in rows
        if row.kind != ORDER
        and (row.customer_id != targets[row.id] or (row.record_id and not row.version))
    ]
    excluded = [row.id for row in rows if row.kind == ORDER]
    linked = sql.rows("read_linked_orders", {"ids": moved, "excluded": excluded}) if moved else []
    orders = [row for row in rows if row.kind == ORDER] + [GraphRow(*row) for *row, _ in linked]
    if numbers := sorted({order_number(row.value) for row in orders if row.evidence == VERIFIED}):
        params = {"numbers": numbers, "excluded": [row.id for row in orders]}
        linked += sql.rows("read_orders_by_number", params)
    return [GraphRow(*row) for *row, _ in linked], {row[0] for row in linked if row[-1]}


def place_orders(
    rows: Sequence[GraphRow], grouping: Sequence[frozenset[int]], targets: Targets
) -> set[int]:
    """Write the record of each order into `targets`; return the ids of the orders in doubt.

    Orders that staff merged with a customer stay with that customer.
    """
    orders = {row.id: row for row in rows if row.kind == ORDER}
    _lock_orders(list(orders.values()))
    mentions = _read_mentions(orders.keys(), targets)
    groups = _order_groups(orders.keys(), grouping)
    merged_ids = orders.keys() - {id_ for members in groups for id_ in members}
    merged = {id_: (targets[id_], False) for id_ in merged_ids}
    placed = _placed(orders, mentions, merged)
    in_doubt: set[int] = set()
    for members in groups:
        owner, is_doubtful = _group_owner(members, orders, mentions, placed)
        if is_doubtful:
            in_doubt |= members
        filed = [record for id_ in members if (record := orders[id_].record_id)]
        targets |= dict.fromkeys(members, owner or min(filed, default=None))
    return in_doubt


def _order_groups(ids: Set[int], grouping: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Return groups of orders, one for each record: a single order, or orders merged by staff."""
    grouped = {member for members in grouping for member in members}
    groups = [members for members in grouping if members <= ids]
    return groups + [frozenset({id_}) for id_ in ids if id_ not in grouped]


def _group_owner(
    members: Set[int],
    orders: Mapping[int, GraphRow],
    mentions: Mapping[int, Sequence[OrderMention]],
    placed: Mapping[_Number, Mapping[int, OrderOwner]],
) -> OrderOwner:
    if any(len(mentions.get(id_, ())) > _MAX_MENTIONS for id_ in members):
        return None, True
    others = [
        other
        for number in sorted(
            {_number(orders[id_]) for id_ in members if orders[id_].evidence == VERIFIED}
        )
        for id_, other in placed.get(number, {}).items()
        if id_ not in members
    ]
    return order_owner((m for id_ in members for m in mentions.get(id_, ())), others)


def _placed(
    orders: Mapping[int, GraphRow],
    mentions: Mapping[int, Sequence[OrderMention]],
    merged: Mapping[int, OrderOwner],
) -> defaultdict[_Number, dict[int, OrderOwner]]:
    """Return the placed orders and their owners, by order number and identifier id."""
    placed: defaultdict[_Number, dict[int, OrderOwner]] = defaultdict(dict)
    for id_, row in orders.items():
        own_mentions = mentions.get(id_, ())
        if row.evidence == VERIFIED and any(
            mention.kind == LinkKind.PLACED for mention in own_mentions
        ):
            owner, is_doubtful = merged.get(id_) or order_owner(own_mentions)
            # If the customer who placed it has no record, the order belongs to its own record.
            own = None if is_doubtful else row.record_id
            placed[_number(row)][id_] = (owner or own, is_doubtful)
    return placed


def _number(order: GraphRow) -> _Number:
    """Return the number that other sources may use for this order, and its erasure."""
    return order_number(order.value), order.erasure_id


def _lock_orders(orders: Sequence[GraphRow]) -> None:
    before = {(row.id, row.record_id, row.customer_id) for row in orders}
    params = {"ids": [row.id for row in orders]}
    if before and set(sql.rows("lock_order_identifiers", params)) != before:
        raise RetryTransaction


def _read_mentions(
    ids: Set[int], targets: Mapping[int, UUID | None]
) -> defaultdict[int, list[OrderMention]]:
    mentions: defaultdict[int, list[OrderMention]] = defaultdict(list)
    params = {"ids": sorted(ids), "limit": _MAX_MENTIONS + 1}
    rows = sql.rows("read_order_mentions", params) if ids else []
    for order, other, kind, other_kind, customer, is_of_erasure in rows:
        # An erased customer has no later order, and the next holder of an identifier no erased one.
        owner = targets.get(other, customer) if is_of_erasure else None
        mentions[order].append(OrderMention(kind, other_kind in WEAK_KINDS, owner))
    return mentions
