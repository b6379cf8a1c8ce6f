"""Decides whether Butler stores an event that names an erased identifier. Pure.

docs/reference/identity.md, "Erasure and return", has the rules. Butler knows an erased identifier
only by its tombstone, which has a keyed digest instead of the value.
"""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from customers.identity.families import ADDRESSES, ORDER, Family, family_of, is_number
from customers.identity.links import IdentifierKey
from customers.identity.statements import STATEMENTS
from customers.projections import orders
from customers.types import BUTLER_SOURCE_ID, MAIN_SPACE_ID, IncomingEvent, Sender

# Sources state these without the customer. They are accepted again after an act of the customer.
_CLOSED = frozenset({Family.ACCOUNT, Family.ATTACHED, Family.REFERENCE})
# After this time, another person may have the address.
_SAME_HOLDER = timedelta(days=365)


class ErasedIdentifier(NamedTuple):
    """The latest tombstone of an identifier."""

    erasure_id: int
    # The number and the start of the period that follows the erasure.
    period: int
    erased_at: datetime
    # The purposes for which the address gets no messages.
    refused: tuple[str, ...] = ()
    # The customer acted since with an equal number of another source of the space.
    has_returned: bool = False


class ErasedIdentifiers(NamedTuple):
    """The erased identifiers that a batch names, and what happened to them since."""

    tombstones: Mapping[IdentifierKey, ErasedIdentifier]
    # Those whose new period began with an act of the customer.
    begun: Set[IdentifierKey]
    # The addresses that somebody proved by a code in the new period.
    proved: Set[IdentifierKey]


def digest(secret: str, key: IdentifierKey) -> bytes:
    """Return the keyed digest of an identifier. All of its periods have the same one."""
    text = f"{key.kind}\n{key.value}\n{key.evidence}"
    return blake2b(text.encode(), key=_digest_key(secret), digest_size=32).digest()


def number_of_space(key: IdentifierKey, space_id: int) -> IdentifierKey | None:
    """Return what stands for the equal numbers of all sources of a space; None in `main`.

    Nobody named `main`, so equal numbers of it may be two people.
    """
    if space_id == MAIN_SPACE_ID or not is_number(key.kind):
        return None
    number = key.value.partition("/")[2]
    return IdentifierKey(key.kind, f"space {space_id}/{number}", key.evidence)


@lru_cache(maxsize=1)
def _digest_key(secret: str) -> bytes:
    """Return a key of the length that BLAKE2 takes."""
    return blake2b(secret.encode()).digest()


def accept_events(
    events: Sequence[IncomingEvent],
    keys_by_event: Sequence[tuple[IdentifierKey, ...]],
    erased: ErasedIdentifiers,
    sender: Sender,
) -> list[tuple[IdentifierKey, ...] | None]:
    """Return the identifiers of each event as `accepted_keys` does.

    An act of the customer counts for the whole batch, wherever it stands.
    """
    named = list(zip(events, keys_by_event, strict=True))
    if not erased.tombstones:
        return [keys for _, keys in named]
    begun = {
        key
        for event, keys in named
        if keys and is_own_act(event, keys, erased, sender)
        for key in accepted_keys(event, keys, erased, sender) or ()
        if key in erased.tombstones
    }
    erased = erased._replace(begun=erased.begun | begun)
    return [keys and accepted_keys(event, keys, erased, sender) for event, keys in named]


def accepted_keys(
    event: IncomingEvent,
    keys: tuple[IdentifierKey, ...],
    erased: ErasedIdentifiers,
    sender: Sender,
) -> tuple[IdentifierKey, ...] | None:
    """Return the identifiers on which an event may be stored; None if it is refused as erased.

    keys: the identifiers of the event, all of the first period, the primary one first
    """
    refused = _refused(event, keys, erased, sender)
    if not refused:
        return keys
    is_statement = event.kind in STATEMENTS
    is_about_erased = any(
        family is Family.ACCOUNT
        or family is Family.REFERENCE
        or (is_statement and family is Family.MAILBOX)
        for family in (_family(key, sender) for key in refused)
    )
    if keys[0] in refused or is_about_erased:
        return None
    return tuple(key for key in keys if key not in refused)


def _refused(
    event: IncomingEvent,
    keys: Sequence[IdentifierKey],
    erased: ErasedIdentifiers,
    sender: Sender,
) -> set[IdentifierKey]:
    """Return those erased identifiers of which Butler accepts nothing by this event."""
    tombstones = {key: erased.tombstones[key] for key in keys if key in erased.tombstones}
    opened = _opened(event, keys, erased, sender)
    return {
        key
        for key, tombstone in tombstones.items()
        if event.occurred_at < tombstone.erased_at
        or (_family(key, sender) in _CLOSED and key.kind not in ADDRESSES and key not in opened)
    }


def _opened(
    event: IncomingEvent,
    keys: Sequence[IdentifierKey],
    erased: ErasedIdentifiers,
    sender: Sender,
) -> Set[IdentifierKey]:
    """Return the accounts, cards and orders of the event that are accepted again."""
    if is_own_act(event, keys, erased, sender):
        return frozenset(keys)
    returned = {
        tombstone.erasure_id
        for key in keys
        if key in erased.proved
        and event.occurred_at - (tombstone := erased.tombstones[key]).erased_at < _SAME_HOLDER
    }
    by_proof = {
        key
        for key in keys
        if key.kind != ORDER
        and key in erased.tombstones
        and erased.tombstones[key].erasure_id in returned
    }
    return erased.begun | by_proof


def is_own_act(
    event: IncomingEvent,
    keys: Sequence[IdentifierKey],
    erased: ErasedIdentifiers,
    sender: Sender,
) -> bool:
    """Tell whether the customer did something, so that the identifiers are accepted again.

    These are a new order, and a proof. An erased order that the erased customer places again is a
    repetition. If somebody else places it, its number is in use again. An order in the customer's
    own app is only a claim, and the app may have been open since before the erasure.
    """
    if sender.source_id == BUTLER_SOURCE_ID:
        return True
    if event.proved_identifier:
        return False
    return event.name == orders.PLACED and not (
        keys[0] in erased.tombstones
        and any(key.kind == ORDER and key in erased.tombstones for key in keys)
    )


def _family(key: IdentifierKey, sender: Sender) -> Family:
    return family_of(key.kind, has_several_ids=sender.has_several_ids)
