"""A cache of identifiers, their records and their links, so that most batches resolve nothing.

A cached identifier is used only after the record that it leads to is locked, and only if that
record still has the grouping version with which the identifier was read. Triggers of the database
increase this version with every change that matters here (`customers.db.grouping_triggers`). So no
process has to tell the others about a change.

Each statement that reads identifiers also returns `cache_state`. This number changes if the server
starts again, if another server takes over, and if the company changes its blocked values. The
cache is then forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from functools import partial
from operator import is_
from typing import NamedTuple

from django.db import connection, transaction

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity.links import IdentifierKey
from customers.identity.resolved import Resolved, ResolvedIdentifier

# An identifier takes about 0.5 KB of memory, and so do the links of an event.
_MAX_ENTRIES = 20_000
# Senders choose the values, so the cache keeps short ones only.
_MAX_LENGTH = 200


class KnownIdentifier(NamedTuple):
    """An identifier as it was read under the lock of its record."""

    row: ResolvedIdentifier
    # The live record as text.
    record: str
    grouping_version: int


class _StoredLinks(NamedTuple):
    """The links that an event states. All are stored, and none of them is replaced."""

    # The identifiers of the event, as they were cached when the links were read.
    ends: tuple[KnownIdentifier, ...]
    # The latest of the stored times. The links of an event from this time on change nothing.
    since: datetime


class _Cache:
    """The identifiers of one database, by the keys of their first periods, and their links."""

    def __init__(self, state: int) -> None:
        self.state = state
        self.identifiers: dict[IdentifierKey, KnownIdentifier] = {}
        self.links: dict[LinkArguments, _StoredLinks] = {}


# The identifiers of an event, and all else that its links follow from.
type LinkArguments = tuple[tuple[IdentifierKey, ...], object, object]

# By the name of the database.
_caches: dict[str, _Cache] = {}

# The class method `_make` would take twice as long, for each identifier of each batch.
_new_identifier = partial(tuple.__new__, ResolvedIdentifier)


class KnownIdentifiers(NamedTuple):
    """The cached identifiers of a batch, whose records are locked."""

    identifiers: Mapping[IdentifierKey, KnownIdentifier]
    # The `cache_state` of the database; None if nothing is cached.
    state: int | None
    # The cached links of events.
    links: Mapping[LinkArguments, _StoredLinks]

    def have_links(self, arguments: LinkArguments, occurred_at: datetime) -> bool:
        """Tell whether the links of an event are stored, so that it changes none of them."""
        links = self.links.get(arguments)
        if links is None or occurred_at < links.since:
            return False
        ends = map(self.identifiers.get, arguments[0])
        # The same values may have been something else in between, so equality does not suffice.
        return all(map(is_, links.ends, ends))


NOTHING_KNOWN = KnownIdentifiers({}, None, {})


class UncheckedIdentifiers(NamedTuple):
    """The cached identifiers of a batch, and their records, sorted."""

    cache: _Cache | None
    identifiers: Mapping[IdentifierKey, KnownIdentifier]
    records: Sequence[str]


def clear() -> None:
    """Forget everything."""
    _caches.clear()


def find_known(keys: Iterable[IdentifierKey]) -> UncheckedIdentifiers:
    """Return the cached ones of these identifiers, which may have changed."""
    cache = _caches.get(_database())
    if cache is None:
        return UncheckedIdentifiers(None, {}, [])
    get = cache.identifiers.get
    identifiers = {key: identifier for key in keys if (identifier := get(key))}
    records = sorted({identifier.record for identifier in identifiers.values()})
    return UncheckedIdentifiers(cache, identifiers, records)


def lock_unchecked(unchecked: UncheckedIdentifiers) -> tuple[KnownIdentifiers, Resolved]:
    """Lock the records of cached identifiers; return the identifiers as they are."""
    rows = sql.rows("lock_known_records", {"ids": array(unchecked.records)})
    versions = {id_: row[:2] for id_, row in zip(unchecked.records, rows, strict=False)}
    return checked(unchecked, versions, {state for *_, state in rows})


def array(records: Iterable[str]) -> str:
    """Return the ids of records as the text of a parameter, faster than a list of them."""
    return f"{{{','.join(records)}}}"


def checked(
    unchecked: UncheckedIdentifiers, versions: Mapping[str, tuple[int, int]], states: Set[int]
) -> tuple[KnownIdentifiers, Resolved]:
    """Return cached identifiers as they are, after their records were locked.

    versions: the version of the log and the grouping version of each locked record
    states: the states that the database returned, at most one
    Raises RetryTransaction if an identifier may have changed. The next attempt does not find it.
    """
    cache = unchecked.cache
    assert cache is not None
    if states != {cache.state} or len(versions) != len(unchecked.records):
        _caches.pop(_database(), None)
        raise RetryTransaction("the cached identifiers may be of another server")
    resolved: Resolved = {}
    stale = []
    for key, (row, record, grouping_version) in unchecked.identifiers.items():
        version, current = versions[record]
        if current == grouping_version:
            resolved[key] = _new_identifier((*row[:3], version, *row[4:]))
        else:
            stale.append(key)
    if stale:
        for key in stale:
            cache.identifiers.pop(key, None)
        raise RetryTransaction("cached identifiers have changed")
    return KnownIdentifiers(unchecked.identifiers, cache.state, cache.links), resolved


def cache_after_commit(
    rows: Mapping[IdentifierKey, tuple[ResolvedIdentifier, int]], state: int
) -> KnownIdentifiers:
    """Cache identifiers as soon as the open transaction has committed.

    rows: identifiers without a later period or a tombstone, with the grouping versions of their
        locked records
    """
    cache = _caches.get(_database())
    cached, links = (cache.identifiers, cache.links) if cache and cache.state == state else ({}, {})
    identifiers = {
        key: _unless_equal(cached.get(key), row, grouping_version)
        for key, (row, grouping_version) in rows.items()
        if row.customer_id and not (row.is_shared or row.is_placeholder)
        if len(key.value) <= _MAX_LENGTH
    }
    if identifiers:
        transaction.on_commit(partial(_store, identifiers, state))
    return KnownIdentifiers(identifiers, state, links)


def _unless_equal(
    cached: KnownIdentifier | None, row: ResolvedIdentifier, grouping_version: int
) -> KnownIdentifier:
    """Return the cached identifier if nothing about it changed, because links refer to it."""
    # The version of the log belongs to the transaction.
    row = row._replace(version=0)
    if cached and cached.grouping_version == grouping_version and cached.row == row:
        return cached
    return KnownIdentifier(row, str(row.customer_id), grouping_version)


def _store(identifiers: Mapping[IdentifierKey, KnownIdentifier], state: int) -> None:
    cache = _current(state)
    if len(cache.identifiers) > _MAX_ENTRIES:
        cache.identifiers.clear()
    cache.identifiers.update(identifiers)


def _current(state: int) -> _Cache:
    """Return the cache of the database, empty if it was that of another state."""
    cache = _caches.get(_database())
    if cache is None or cache.state != state:
        cache = _caches[_database()] = _Cache(state)
    return cache


def cache_links_after_commit(
    cached: KnownIdentifiers, links: Sequence[tuple[LinkArguments, datetime]]
) -> None:
    """Cache, as soon as the open transaction has committed, that the links of events are stored.

    links: what the links of an event follow from, and the latest of their stored times
    """
    stored = {}
    for arguments, since in links:
        ends = tuple(filter(None, map(cached.identifiers.get, arguments[0])))
        if len(ends) == len(arguments[0]):
            stored[arguments] = _StoredLinks(ends, since)
    if stored and cached.state is not None:
        transaction.on_commit(partial(_store_links, stored, cached.state))


def _store_links(stored: Mapping[LinkArguments, _StoredLinks], state: int) -> None:
    cache = _current(state)
    if len(cache.links) > _MAX_ENTRIES:
        cache.links.clear()
    cache.links.update(stored)


def _database() -> str:
    return str(connection.settings_dict["NAME"])
