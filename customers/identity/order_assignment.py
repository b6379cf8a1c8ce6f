"""Chooses the record of each order that a regrouping affects."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity.families import ORDER
from customers.identity.graph import GraphRow, Targets
from customers.identity.links import LinkKind
from customers.identity.order_ownership import (
    OrderMention,
    OrderOwner,
    OrderSource,
    order_number,
    order_owner,
    order_source,
)
from customers.identity.order_repetitions import without_other_sources, without_repetitions
from customers.models import Review, Source
from customers.types import VERIFIED, WEAK_KINDS, owns_its_space

# The owner of an order that was sent with more identifiers than this is in doubt.
_MAX_MENTIONS = 1_000

# The placed orders and their owners, by number and by identifier id.
type _Placed = Mapping[_Number, Mapping[int, OrderOwner]]


class AssignedOrders(NamedTuple):
    """The ids of orders whose owner is in doubt, that an event moves, or of several sources."""

    in_doubt: Set[int]
    moving: Set[int]
    # The orders with a number with which several sources of their space placed an order.
    of_several_sources: Set[int]


class _Number(NamedTuple):
    """An order number in a space. A number that is used again after an erasure is another number."""

    number: str
    space_id: int
    erasure_id: int


class _Orders(NamedTuple):
    """The orders whose record is chosen, the mentions of them, and their sources, by id."""

    rows: Mapping[int, GraphRow]
    mentions: Mapping[int, Sequence[OrderMention]]
    sources: Mapping[int, OrderSource]

    def number(self, id_: int) -> _Number:
        """Return the number that other sources of the space may use for an order."""
        row = self.rows[id_]
        source = self.sources.get(order_source(row.value))
        return _Number(order_number(row.value), source.space_id if source else 0, row.erasure_id)

    def is_placed(self, id_: int) -> bool:
        """True if an event of the order's own source placed it."""
        return self.rows[id_].evidence == VERIFIED and any(
            mention.kind == LinkKind.PLACED for mention in self.mentions.get(id_, ())
        )

    def of_several_sources(self) -> list[frozenset[int]]:
        """Return groups of orders with one number that several sources of one space placed."""
        placed: defaultdict[_Number, set[int]] = defaultdict(set)
        for id_ in self.rows:
            if self.is_placed(id_):
                placed[self.number(id_)].add(id_)
        return [frozenset(ids) for ids in placed.values() if len(ids) > 1]

    @property
    def moving_ids(self) -> set[int]:
        """The ids of orders that an event moves to another customer."""
        return {
            id_
            for id_ in self.rows
            if any(mention.kind == LinkKind.MOVED for mention in self.mentions.get(id_, ()))
        }

    def moves_by_owners(self, members: Set[int]) -> list[OrderMention]:
        """Return the moves by other sources that own the space, which send the number as their own.

        They count only if the space has one order with the number.
        """
        numbers = {self.number(id_) for id_ in members if self.is_placed(id_)}
        if len(numbers) != 1:
            return []
        [number] = numbers
        same = [id_ for id_ in self.rows if self.number(id_) == number]
        if any(self.is_placed(id_) for id_ in same if id_ not in members):
            return []
        return [
            mention
            for id_ in same
            if id_ not in members
            and (source := self.sources.get(order_source(self.rows[id_].value)))
            and source.is_owner
            for mention in self.mentions.get(id_, ())
            if mention.kind == LinkKind.MOVED
        ]


def find_orders_to_assign(
    rows: Sequence[GraphRow], targets: Mapping[int, UUID | None]
) -> tuple[list[GraphRow], set[int]]:
    """Return further orders whose record must be chosen again, and the ids of those that staff merged.

    These are the orders linked to the moved identifiers, and all orders with the same numbers, without
    the orders in `rows`.
    """
    # An identifier of a record that was just created has the id of this record already.
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


def assign_orders(
    rows: Sequence[GraphRow], grouping: Sequence[frozenset[int]], targets: Targets
) -> AssignedOrders:
    """Write the record of each order into `targets`; return the orders in doubt and the moved ones.

    Orders that staff merged with a customer stay with that customer.
    """
    order_rows = {row.id: row for row in rows if row.kind == ORDER}
    _lock_orders(list(order_rows.values()))
    mentions = without_repetitions(_read_mentions(order_rows.keys(), targets))
    orders = _Orders(order_rows, mentions, _read_sources(order_rows))
    of_several_sources = orders.of_several_sources()
    without_other_sources(mentions, of_several_sources)
    groups = _order_groups(order_rows.keys(), grouping)
    merged_ids = order_rows.keys() - {id_ for members in groups for id_ in members}
    merged = {id_: (targets[id_], False) for id_ in merged_ids}
    placed = _placed(orders, merged)
    in_doubt: set[int] = set()
    for members in groups:
        owner, is_doubtful = _group_owner(members, orders, placed)
        if is_doubtful:
            in_doubt |= members
        filed = [record for id_ in members if (record := order_rows[id_].record_id)]
        targets |= dict.fromkeys(members, owner or min(filed, default=None))
    return AssignedOrders(in_doubt, orders.moving_ids, frozenset().union(*of_several_sources))


def ask_about_numbers(rows: Iterable[GraphRow], in_doubt: Set[int]) -> None:
    """Create reviews: staff choose the customer of events whose order number fits several orders.

    Until then, such events are on the record of the number.
    """
    Review.objects.bulk_create(
        [
            Review(
                kind=Review.Kind.ORDER_NUMBER,
                first_id=row.record_id,
                details={"order": order_number(row.value)},
            )
            for row in rows
            if row.id in in_doubt and row.record_id
        ],
        ignore_conflicts=True,
    )


def _order_groups(ids: Set[int], grouping: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Return groups of orders, one for each record: a single order, or orders merged by staff."""
    grouped = {member for members in grouping for member in members}
    groups = [members for members in grouping if members <= ids]
    return groups + [frozenset({id_}) for id_ in ids if id_ not in grouped]


def _group_owner(members: Set[int], orders: _Orders, placed: _Placed) -> OrderOwner:
    if any(len(orders.mentions.get(id_, ())) > _MAX_MENTIONS for id_ in members):
        return None, True
    others = [
        other
        for number in sorted(
            {orders.number(id_) for id_ in members if orders.rows[id_].evidence == VERIFIED}
        )
        for id_, other in placed.get(number, {}).items()
        if id_ not in members
    ]
    mentions = [mention for id_ in members for mention in orders.mentions.get(id_, ())]
    return order_owner([*mentions, *orders.moves_by_owners(members)], others)


def _placed(
    orders: _Orders, merged: Mapping[int, OrderOwner]
) -> defaultdict[_Number, dict[int, OrderOwner]]:
    """Return the placed orders and their owners, by order number and identifier id."""
    placed: defaultdict[_Number, dict[int, OrderOwner]] = defaultdict(dict)
    for id_, row in orders.rows.items():
        if orders.is_placed(id_):
            moves = orders.moves_by_owners({id_})
            owner, is_doubtful = merged.get(id_) or order_owner([*orders.mentions[id_], *moves])
            # If the customer of a placed order has no record, the order belongs to its own record.
            own = None if is_doubtful else row.record_id
            placed[orders.number(id_)][id_] = (owner or own, is_doubtful)
    return placed


def _read_sources(orders: Mapping[int, GraphRow]) -> dict[int, OrderSource]:
    """Return the sources of orders, by id. Nothing compares the source of a single order."""
    if len(orders) < 2:
        return {}
    ids = {order_source(row.value) for row in orders.values()}
    rows = Source.objects.filter(pk__in=ids).values_list("id", "space_id", "channel", "is_shared")
    return {
        id_: OrderSource(
            space_id, owns_its_space(channel=channel, is_shared=is_shared, is_trusted=True)
        )
        for id_, space_id, channel, is_shared in rows
    }


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
    for order, other, kind, other_kind, customer, is_of_erasure, said_at, arrival in rows:
        # An order and an identifier from before and after an erasure do not belong together.
        owner = targets.get(other, customer) if is_of_erasure else None
        mentions[order].append(
            OrderMention(kind, other_kind in WEAK_KINDS, owner, said_at, arrival, other)
        )
    return mentions
