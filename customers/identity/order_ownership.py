"""Says to which record an order belongs, from the identifiers it was stated with. Pure."""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple
from uuid import UUID

from customers.identity.grouping import PLACED, SEEN, SEPARATED


class OrderMention(NamedTuple):
    """One identifier that was stated with an order, and the record that it leads to today."""

    # PLACED by the statement that placed the order, SEEN by any other, SEPARATED by a person.
    kind: str
    is_weak: bool
    owner: UUID | None


# The record that an order belongs to, and whether that is in doubt.
type OrderOwner = tuple[UUID | None, bool]


def order_number(value: str) -> str:
    """Return the number of an order without its source."""
    return value.partition("/")[2]


def order_owner(mentions: Iterable[OrderMention], others: Sequence[OrderOwner] = ()) -> OrderOwner:
    """Return the record that an order belongs to, and whether that is in doubt.

    The statement that placed the order counts first; then the only order of another source that
    has the same number; then any other statement. A person counts before a browser or a device.
    Two records that come first equally are a doubt, and the order belongs to neither.

    others: the owners of the orders of other sources that somebody placed
    """
    mentions = list(mentions)
    separated = {mention.owner for mention in mentions if mention.kind == SEPARATED}
    owner, is_doubtful = _owner_by_kind(mentions, PLACED, separated)
    if owner or is_doubtful:
        return owner, is_doubtful
    if others:
        only = others[0][0] if len(others) == 1 else None
        return (only, False) if only and only not in separated else (None, True)
    return _owner_by_kind(mentions, SEEN, separated)


def _owner_by_kind(
    mentions: Sequence[OrderMention], kind: str, separated: Set[UUID | None]
) -> OrderOwner:
    """Return the owner by the statements of one kind; by browsers only where no person counts."""
    for is_weak in (False, True):
        owners = {m.owner for m in mentions if (m.kind, m.is_weak) == (kind, is_weak)}
        owners -= separated | {None}
        if owners:
            return (owners.pop(), False) if len(owners) == 1 else (None, True)
    return None, False
