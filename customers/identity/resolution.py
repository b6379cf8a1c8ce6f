"""Finds the identifiers of a batch of events, and the records that they lead to.

Each event is filed on the first of its identifiers (`customers.identity.filing_order`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity import erasure_rules, known_identifiers
from customers.identity.erasure_rules import ErasedIdentifier, ErasedIdentifiers
from customers.identity.families import ORDER, is_number
from customers.identity.filing_order import put_changed_orders_first, put_placeholders_last
from customers.identity.identifier_keys import identifier_keys
from customers.identity.known_identifiers import (
    NOTHING_KNOWN,
    KnownIdentifiers,
    UncheckedIdentifiers,
)
from customers.identity.links import IdentifierKey
from customers.identity.periods import Period, period_at
from customers.identity.previous_accounts import (
    PreviousAccounts,
    previous_accounts,
    read_aliases,
)
from customers.identity.resolved import Resolved, ResolvedIdentifier
from customers.identity.short_text_cache import ShortTextCache
from customers.types import MAIN_SPACE_ID, VERIFIED, IncomingEvent, Sender

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


# The latest tombstones, by the identifier in its first period.
type Tombstones = dict[IdentifierKey, ErasedIdentifier]


# The class methods `_make` would take twice as long, for each identifier of each batch.
_new_key = partial(tuple.__new__, IdentifierKey)
_new_identifier = partial(tuple.__new__, ResolvedIdentifier)

# An identifier as resolve_identifiers.sql takes it: kind, value, evidence, digest in hex.
type _Params = tuple[str, str, int, str]
# By ERASURE_KEY and identifier.
_cached_params: ShortTextCache[tuple[str, IdentifierKey], _Params] = ShortTextCache()


class Resolution(NamedTuple):
    """The known identifiers of a batch, and its blocked and erased ones."""

    resolved: Resolved
    # Blocked kinds and values.
    blocked: set[tuple[str, str]]
    tombstones: Tombstones
    # The grouping versions of the locked records, by the identifiers that lead to them.
    grouping_versions: dict[IdentifierKey, int]
    # The `cache_state` of the database (known_identifiers), at most one; empty if nothing was locked.
    cache_states: set[int]
    # Of further records: the version of the log, and the grouping version.
    record_versions: dict[str, tuple[int, int]]


class ResolvedEvents(NamedTuple):
    """The identifiers of each event of a batch, and the records that they lead to."""

    keys_by_event: list[tuple[IdentifierKey, ...]]
    resolved: Resolved
    # The places of the events that are refused as erased.
    erased_events: frozenset[int]
    tombstones: Tombstones
    # The places of the aliases that name an account, but join none.
    refused_aliases: frozenset[int]
    # The identifiers that are in the cache after the commit.
    cached: KnownIdentifiers


def stored_identifier(kind: str, value: str) -> tuple[str, str]:
    """Return the kind and value by which events of any source name a stored identifier.

    value: as the database stores it; a number or an order begins with the id of its source
    """
    if kind == ORDER or is_number(kind):
        source_id, _, number = value.partition("/")
        return f"{kind}:{source_id}", number
    return kind, value


def resolve_events(events: Sequence[IncomingEvent], sender: Sender) -> ResolvedEvents:
    """Find the usable identifiers of each event, and the records that they lead to, locked.

    Each event is filed on its first identifier. An event may have no usable identifier.
    """
    keys_by_event = [identifier_keys(event, sender) for event in events]
    accounts = previous_accounts(events, sender)
    candidates = {account for named in accounts.values() for account in named.values()}
    keys = candidates.union(*keys_by_event)
    unchecked = known_identifiers.find_known(keys)
    missing = keys - unchecked.identifiers.keys()
    if missing or not keys:
        return _resolve_events(events, keys_by_event, accounts, unchecked, missing, sender)
    # No cached identifier is blocked, erased, a placeholder, or has several periods.
    cached, resolved = known_identifiers.lock_unchecked(unchecked)
    keys_by_event, refused_aliases = read_aliases(keys_by_event, accounts, resolved, sender)
    keys_by_event = put_changed_orders_first(events, keys_by_event, resolved)
    return ResolvedEvents(keys_by_event, resolved, frozenset(), {}, refused_aliases, cached)


def _resolve_events(
    events: Sequence[IncomingEvent],
    keys_by_event: list[tuple[IdentifierKey, ...]],
    accounts: PreviousAccounts,
    unchecked: UncheckedIdentifiers,
    missing: Set[IdentifierKey],
    sender: Sender,
) -> ResolvedEvents:
    """Find the missing identifiers in the database, and decide which ones each event may name."""
    resolution = resolve(missing, sender, unchecked.records)
    cached = _cache_resolved(resolution)
    if unchecked.identifiers:
        checked, resolved = known_identifiers.checked(
            unchecked, resolution.record_versions, resolution.cache_states
        )
        identifiers = {**cached.identifiers, **checked.identifiers}
        cached = checked._replace(identifiers=identifiers)
        resolution.resolved.update(resolved)
    resolved, blocked = resolution.resolved, resolution.blocked
    keys_by_event, refused_aliases = read_aliases(keys_by_event, accounts, resolved, sender)
    if blocked:
        keys_by_event = [
            tuple(key for key in keys if key[:2] not in blocked) for keys in keys_by_event
        ]
    erased = erased_identifiers(resolved, resolution.tombstones)
    accepted = erasure_rules.accept_events(events, keys_by_event, erased, sender)
    keys_by_event = [keys or () for keys in accepted]
    keys_by_event = _in_their_periods(events, keys_by_event, resolved, resolution.tombstones)
    keys_by_event = put_placeholders_last(keys_by_event, resolved)
    return ResolvedEvents(
        put_changed_orders_first(events, keys_by_event, resolved),
        resolved,
        frozenset(place for place, keys in enumerate(accepted) if keys is None),
        resolution.tombstones,
        refused_aliases,
        cached,
    )


def _cache_resolved(resolution: Resolution) -> KnownIdentifiers:
    """Cache the identifiers that no erasure, period or blocked value concerns, after the commit."""
    if not resolution.cache_states:
        return NOTHING_KNOWN
    resolved = resolution.resolved
    excluded = {key._replace(period=0) for key in resolved if key.period}
    excluded |= resolution.tombstones.keys()
    rows = {
        key: (resolved[key], grouping_version)
        for key, grouping_version in resolution.grouping_versions.items()
        if key not in excluded and not key.period and key[:2] not in resolution.blocked
    }
    (state,) = resolution.cache_states
    return known_identifiers.cache_after_commit(rows, state)


def erased_identifiers(resolved: Resolved, tombstones: Tombstones) -> ErasedIdentifiers:
    """Return the erased identifiers, and those whose new period has begun or was proved."""
    if not tombstones:
        return ErasedIdentifiers(tombstones, frozenset(), frozenset())
    current = [
        (key._replace(period=0), row)
        for key, row in resolved.items()
        if (tombstone := tombstones.get(key._replace(period=0))) and key.period >= tombstone.period
    ]
    return ErasedIdentifiers(
        tombstones,
        begun=frozenset(key for key, _ in current)
        | {key for key, tombstone in tombstones.items() if tombstone.has_returned},
        proved=frozenset(key for key, row in current if row.is_proved),
    )


def _in_their_periods(
    events: Sequence[IncomingEvent],
    keys_by_event: list[tuple[IdentifierKey, ...]],
    resolved: Resolved,
    tombstones: Tombstones,
) -> list[tuple[IdentifierKey, ...]]:
    """Name the period of each identifier that has several: the one of the event's time."""
    periods: defaultdict[IdentifierKey, list[Period]] = defaultdict(list)
    for key, row in resolved.items():
        if row.period_starts_at:
            periods[key._replace(period=0)].append(Period(row.period_starts_at, key.period))
    for key, tombstone in tombstones.items():
        periods[key].append(Period(tombstone.erased_at, tombstone.period))
    if not periods:
        return keys_by_event
    return [
        tuple(
            key._replace(period=period_at(periods.get(key, ()), _moment(event, key)))
            for key in keys
        )
        for event, keys in zip(events, keys_by_event, strict=True)
    ]


def _moment(event: IncomingEvent, key: IdentifierKey) -> datetime:
    """Return the time whose period counts. A customer token speaks for the holder of today."""
    is_proved = event.proved_identifier is not None and key.evidence == VERIFIED
    return _END_OF_TIME if is_proved else event.occurred_at


def resolve(
    keys: Iterable[IdentifierKey], sender: Sender, records: Iterable[str] = ()
) -> Resolution:
    """Find these identifiers and lock their records; also return tombstones and blocked values.

    All periods of an identifier are returned.

    sender: the source of the batch; its named space tells which equal numbers were erased
    records: further records to lock
    """
    named = {key._replace(period=0) if key.period else key for key in keys}
    params = {
        "keys": sql.json(key_params(named, sender)),
        "records": known_identifiers.array(records),
    }
    return read_resolved(sql.rows("resolve_identifiers", params))


def key_params(keys: Iterable[IdentifierKey], sender: Sender) -> Sequence[tuple[object, ...]]:
    """Return each identifier with its digest, and with that of equal numbers in a named space."""
    secret = settings.ERASURE_KEY
    if sender.space_id == MAIN_SPACE_ID:
        return [_cached_params.get((secret, key)) or _params(secret, key) for key in keys]
    return [
        (*(_cached_params.get((secret, key)) or _params(secret, key)), _equal_digest(key, sender))
        for key in keys
    ]


def _equal_digest(key: IdentifierKey, sender: Sender) -> str | None:
    """Return the digest of the equal numbers of the sender's space; None for another identifier."""
    is_own = key.value.startswith(f"{sender.source_id}/")
    equal = erasure_rules.number_of_space(key, sender.space_id) if is_own else None
    if equal is None:
        return None
    secret = settings.ERASURE_KEY
    return (_cached_params.get((secret, equal)) or _params(secret, equal))[3]


def _params(secret: str, key: IdentifierKey) -> _Params:
    digest = erasure_rules.digest(secret, key).hex()
    params = (key.kind, key.value, key.evidence, digest)
    return _cached_params.store((secret, key), params, length=len(key.value))


def read_resolved(rows: Iterable[tuple[Any, ...]]) -> Resolution:
    """Parse the rows of resolve_identifiers.sql."""
    resolution = Resolution({}, set(), {}, {}, set(), {})
    resolved, cache_states = resolution.resolved, resolution.cache_states
    for row in rows:
        id_, is_stale, erasure_id, refused = row[4], row[12], row[13], row[14]
        if is_stale:
            raise RetryTransaction
        if row[0] is None:
            resolution.record_versions[row[1]] = row[7], row[15]
            cache_states.add(row[16])
            continue
        key = _new_key(row[:4])
        if id_ is not None:
            resolved[key] = _new_identifier(row[4:12])
            if row[15] is not None and erasure_id is None:
                resolution.grouping_versions[key] = row[15]
                cache_states.add(row[16])
        elif erasure_id is None:
            resolution.blocked.add(key[:2])
        else:
            tombstone = ErasedIdentifier(
                erasure_id, key.period, row[10], tuple(refused), has_returned=bool(row[11])
            )
            key = key._replace(period=0)
            earlier = resolution.tombstones.get(key)
            if earlier is None or earlier.period < tombstone.period:
                resolution.tombstones[key] = tombstone
    return resolution
