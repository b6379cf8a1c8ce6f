"""Computes the record that an order belongs to, from the identifiers sent with it. Pure."""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple
from uuid import UUID

from customers.identity.links import DecisionKind, LinkKind


class OrderMention(NamedTuple):
    """One identifier that was sent with an order, and the record that it leads to now."""

    # LinkKind.PLACED: from the event that placed the order; TOGETHER: from another event;
    # DecisionKind.SEPARATE: a person took the order off.
    kind: str
    is_weak: bool
    owner: UUID | None


# The record that an order belongs to, and whether the owner is in doubt.
type OrderOwner = tuple[UUID | None, bool]


def order_number(value: str) -> str:
    """Return the number of an order without its source."""
    return value.partition("/")[2]


def order_owner(mentions: Iterable[OrderMention], others: Sequence[OrderOwner] = ()) -> OrderOwner:
    """Return the record that an order belongs to, and whether the owner is in doubt.

    The event that placed the order has priority. Next is an order of another source with the
    same number: the only one, or the only one whose customer an event with this order names. Next
    are all other events. Among events of the same priority, identifiers of persons precede those
    of browsers and devices. If the first identifiers lead to two records, the owner is in doubt and
    the order belongs to neither record.

    others: the owners of placed orders of other sources with the same number
    """
    mentions = list(mentions)
    separated = {mention.owner for mention in mentions if mention.kind == DecisionKind.SEPARATE}
    owner, is_doubtful = _owner_by_kind(mentions, LinkKind.PLACED, separated)
    if owner or is_doubtful or any(mention.kind == LinkKind.PLACED for mention in mentions):
        return owner, is_doubtful
    mentioned = _owner_by_kind(mentions, LinkKind.TOGETHER, separated)
    if not others:
        return mentioned
    owners = [other for other, _ in others]
    if mentioned[0] and owners.count(mentioned[0]) == 1:
        return mentioned
    only = owners[0] if len(owners) == 1 else None
    return (only, False) if only and only not in separated else (None, True)


def _owner_by_kind(
    mentions: Sequence[OrderMention], kind: str, separated: Set[UUID | None]
) -> OrderOwner:
    """Return the owner by mentions of one kind. Weak identifiers count only without strong ones."""
    for is_weak in (False, True):
        owners = {m.owner for m in mentions if (m.kind, m.is_weak) == (kind, is_weak)}
        owners -= separated | {None}
        if owners:
            return (owners.pop(), False) if len(owners) == 1 else (None, True)
    return None, False
