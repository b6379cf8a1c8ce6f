"""Computes the record that an order belongs to, from the identifiers that were sent with it. Pure."""

from collections.abc import Iterable, Sequence, Set
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from customers.identity.links import DecisionKind, LinkKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OrderMention(NamedTuple):
    """One identifier that was sent with an order, and the record that it leads to now."""

    # LinkKind.PLACED: from the event that placed the order; MOVED: from an event that names the
    # customer of the order; TOGETHER: from another event; DecisionKind.SEPARATE: a person separated the
    # order from the identifier.
    kind: str
    is_weak: bool
    owner: UUID | None
    # The time of the first such event; of MOVED, the time of the last one.
    said_at: datetime = _EPOCH
    arrival: int = 0
    identifier_id: int = 0


# The record that an order belongs to, and whether the owner is in doubt.
type OrderOwner = tuple[UUID | None, bool]


class OrderSource(NamedTuple):
    """The space of a source that sends order numbers, and whether the source owns the space."""

    space_id: int
    is_owner: bool


def order_source(value: str) -> int:
    """Return the id of the source of an order; 0 for an old value without a source."""
    source, slash, _ = value.partition("/")
    return int(source) if slash and source.isascii() and source.isdigit() else 0


def order_number(value: str) -> str:
    """Return the number of an order without its source."""
    return value.partition("/")[2]


def order_owner(mentions: Iterable[OrderMention], others: Sequence[OrderOwner] = ()) -> OrderOwner:
    """Return the record that an order belongs to, and whether the owner is in doubt.

    For a placed order, the last event that moved it decides, or else the event that placed it. An order
    that this source did not place belongs to the owner of an order of another source with the same
    number: the only one, or the only one whose customer an event with this order names. Without such
    an order, all events count. Identifiers of persons count before those of browsers and devices. If
    the identifiers lead to two records, the owner is in doubt, and the order belongs to neither.

    others: the owners of placed orders of other sources with the same number, in the same space
    """
    mentions = list(mentions)
    separated = {mention.owner for mention in mentions if mention.kind == DecisionKind.SEPARATE}
    owner, is_doubtful = _owner_by_kind(mentions, LinkKind.PLACED, separated)
    if not is_doubtful and (moved := _last_move(mentions, separated)):
        return moved, False
    if owner or is_doubtful or any(mention.kind == LinkKind.PLACED for mention in mentions):
        return owner, is_doubtful
    # Of an order that is not placed, an event that names its customer is a mention as any other.
    mentioned = _owner_by_kind(mentions, LinkKind.TOGETHER, separated)
    owners = [other for other, _ in others]
    return _owner_among(owners, mentioned, separated) if owners else mentioned


def _owner_among(
    owners: Sequence[UUID | None], mentioned: OrderOwner, separated: Set[UUID | None]
) -> OrderOwner:
    """Return the owner of the order of another source that is meant; in doubt if it is unclear."""
    if mentioned[0] and owners.count(mentioned[0]) == 1:
        return mentioned
    only = owners[0] if len(owners) == 1 else None
    return (only, False) if only and only not in separated else (None, True)


def _last_move(mentions: Iterable[OrderMention], separated: Set[UUID | None]) -> UUID | None:
    """Return the record to which the last event after the placement moved the order, if any did."""
    mentions = list(mentions)
    placed = [mention for mention in mentions if mention.kind == LinkKind.PLACED]
    if not placed:
        return None
    first = min((mention.said_at, mention.arrival) for mention in placed)
    moves = [
        mention
        for mention in mentions
        if mention.kind == LinkKind.MOVED
        and (mention.said_at, mention.arrival) > first
        and mention.owner not in (separated | {None})
    ]
    last = max(moves, key=lambda move: (move.said_at, move.arrival), default=None)
    return last.owner if last else None


def _owner_by_kind(
    mentions: Sequence[OrderMention], kind: str, separated: Set[UUID | None]
) -> OrderOwner:
    """Return the owner by mentions of one kind. Weak identifiers count only without strong ones."""
    for is_weak in (False, True):
        kinds = (kind, LinkKind.MOVED) if kind == LinkKind.TOGETHER else (kind,)
        owners = {
            mention.owner
            for mention in mentions
            if mention.kind in kinds and mention.is_weak == is_weak
        }
        owners -= separated | {None}
        if owners:
            return (owners.pop(), False) if len(owners) == 1 else (None, True)
    return None, False
