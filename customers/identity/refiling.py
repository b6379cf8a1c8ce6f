"""Files events on another identifier than the one that they were written with.

Rows of the log never change. A row of RefiledEvent says on which record an event is filed now, and
customers_filed_events (migration 0022) is the rule for all readers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from itertools import batched
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import sql
from customers.db import retry
from customers.db.retry import RetryTransaction
from customers.events import log
from customers.identity import graph, merging
from customers.projections import registry
from customers.types import CONSENT_KIND

# Rows outside the log describe the same fact as events of these kinds, and stay where they are.
FIXED_KINDS = frozenset({"identity", CONSENT_KIND, "message"})
# The number of events that refile_all moves with one statement.
BATCH_SIZE = 1_000
# Postgres cannot read larger versions.
MAX_VERSION = 2**62


class EventPlace(NamedTuple):
    """The place of an event: the record with the log, and the version."""

    log: UUID
    version: int


class FilingRecord(NamedTuple):
    """The own record of an identifier, and the live record that it belongs to."""

    record_id: UUID
    customer_id: UUID


class RefiledPlace(NamedTuple):
    """An event that is filed on another record now."""

    place: EventPlace
    before: FilingRecord
    after: FilingRecord


class UnknownEvents(LookupError):
    """No log has events at these places."""

    def __init__(self, places: Sequence[EventPlace]) -> None:
        super().__init__(places)
        self.places = places


class UnknownIdentifiers(LookupError):
    """Butler does not know identifiers with these ids."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(ids)
        self.ids = ids


class FixedEvents(ValueError):
    """Events of these kinds cannot be filed on another identifier."""

    def __init__(self, places: Sequence[EventPlace]) -> None:
        super().__init__(places)
        self.places = places


class _Filing(NamedTuple):
    """An event, the record that it was written with, and those that it is and was filed on."""

    kind: str
    written: FilingRecord
    current: FilingRecord
    # The record before the last re-filing, or the current one if there was none.
    previous: FilingRecord


def refile(
    identifier_ids: Mapping[EventPlace, int | None], *, reason: str, actor: str, now: datetime
) -> list[RefiledPlace]:
    """File each event on an identifier; None takes the last re-filing of the event back.

    Identifiers without a record get one. Both live records of each event get the event "Event
    Refiled", and their projections are rebuilt. Returns the events that moved; an event that is
    already filed there does not. Raises UnknownEvents, UnknownIdentifiers or FixedEvents.
    """

    def attempt() -> list[RefiledPlace]:
        moved = _refile(identifier_ids, reason, actor, now)
        _rebuild_projections(moved)
        return moved

    return retry.on_conflict(attempt)


def refile_all(
    identifier_ids: Iterable[int], *, reason: str, actor: str, now: datetime
) -> list[RefiledPlace]:
    """File the events of identifiers on the next identifier of each; return those that moved.

    It serves identifiers that turned out to identify nobody. The next identifier of an event is the
    first one after them that is no device, or else the next device. Events without one stay. All
    events move in one transaction. The projections are rebuilt once, after the last batch of 1,000
    events, so that the time grows with the number of events.
    """
    ids = sorted(identifier_ids)
    if not ids:
        return []

    def attempt() -> list[RefiledPlace]:
        rows = sql.rows("find_next_identifiers", {"ids": ids})
        moved: list[RefiledPlace] = []
        for batch in batched(rows, BATCH_SIZE):
            targets = {EventPlace(log_id, version): next_id for log_id, version, next_id in batch}
            moved += _refile(targets, reason, actor, now)
        _rebuild_projections(moved)
        return moved

    return retry.on_conflict(attempt)


def _refile(
    identifier_ids: Mapping[EventPlace, int | None], reason: str, actor: str, now: datetime
) -> list[RefiledPlace]:
    targets = {id_ for id_ in identifier_ids.values() if id_ is not None}
    _create_missing_records(targets, now)
    filings, records = _read_locked(list(identifier_ids), targets)
    moved = _moved(filings, identifier_ids, records)
    if moved:
        undone = {place for place, id_ in identifier_ids.items() if id_ is None}
        _store(moved, undone, reason, actor, now)
    return moved


def _create_missing_records(identifier_ids: Iterable[int], now: datetime) -> None:
    """Create a record for each identifier that has none, and let it join its group."""
    records_by_id = _read_records(identifier_ids)
    without_record = [id_ for id_, record in records_by_id.items() if record is None]
    if not without_record:
        return
    records = [uuid7() for _ in without_record]
    sql.run("insert_records", {"ids": records, "now": now})
    updated = sql.run("assign_records", {"ids": without_record, "records": records})
    if updated.rowcount != len(records):
        raise RetryTransaction
    merging.regroup(without_record, now=now)


def _read_records(identifier_ids: Iterable[int]) -> dict[int, FilingRecord | None]:
    """Return the records of these identifiers; None for an identifier without one.

    Raises UnknownIdentifiers.
    """
    ids = sorted(identifier_ids)
    records = {
        id_: FilingRecord(record_id, customer_id) if record_id else None
        for id_, record_id, customer_id in sql.rows("read_filing_records", {"ids": ids})
    }
    if unknown := [id_ for id_ in ids if id_ not in records]:
        raise UnknownIdentifiers(unknown)
    return records


def _read_locked(
    places: Sequence[EventPlace], identifier_ids: Iterable[int]
) -> tuple[dict[EventPlace, _Filing], dict[int, FilingRecord]]:
    """Read the events and the records of the identifiers, with all live records locked."""
    locked: set[UUID] = set()
    while True:
        filings = _read_filings(places)
        targets = {id_: record for id_, record in _read_records(identifier_ids).items() if record}
        records = [*targets.values()]
        records += [record for filing in filings.values() for record in filing[1:]]
        if not graph.lock_missing({record.customer_id for record in records}, locked):
            return filings, targets


def _read_filings(places: Sequence[EventPlace]) -> dict[EventPlace, _Filing]:
    """Return the events at these places. Raises UnknownEvents or FixedEvents."""
    logs, versions = [place.log for place in places], [place.version for place in places]
    filings = {
        EventPlace(log_id, version): _Filing(
            kind,
            FilingRecord(*columns[:2]),
            FilingRecord(*columns[2:4]),
            FilingRecord(*columns[4:]),
        )
        for log_id, version, kind, *columns in sql.rows(
            "read_filings", {"logs": logs, "versions": versions}
        )
    }
    if unknown := [place for place in places if place not in filings]:
        raise UnknownEvents(unknown)
    if fixed := [place for place, filing in filings.items() if filing.kind in FIXED_KINDS]:
        raise FixedEvents(fixed)
    return filings


def _moved(
    filings: Mapping[EventPlace, _Filing],
    identifier_ids: Mapping[EventPlace, int | None],
    targets: Mapping[int, FilingRecord],
) -> list[RefiledPlace]:
    """Return the events whose record changes, in the order of their places."""
    moved = []
    for place, filing in sorted(filings.items()):
        identifier_id = identifier_ids[place]
        after = filing.previous if identifier_id is None else targets[identifier_id]
        if after.record_id != filing.current.record_id:
            moved.append(RefiledPlace(place, filing.current, after))
    return moved


def _store(
    moved: Sequence[RefiledPlace],
    undone: Set[EventPlace],
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Store where the events are filed now, and on their logs that they moved."""
    rows = [
        {
            "customer_id": move.place.log,
            "version": move.place.version,
            "record_id": move.after.record_id,
            "is_undo": move.place in undone,
        }
        for move in moved
    ]
    params = {"events": sql.json(rows), "reason": reason, "actor": actor, "now": now}
    sql.run("refile_events", params)
    log.append_internal_events(list(_internal_events(moved, now)), actor=actor, now=now)


def _rebuild_projections(moved: Iterable[RefiledPlace]) -> None:
    registry.rebuild(
        {
            record.customer_id
            for move in moved
            if move.before.customer_id != move.after.customer_id
            for record in (move.before, move.after)
        }
    )


def _internal_events(moved: Iterable[RefiledPlace], now: datetime) -> Iterator[log.InternalEvent]:
    """Yield one event for each pair of records and each of their two logs."""
    by_records: dict[tuple[FilingRecord, FilingRecord], list[EventPlace]] = {}
    for move in moved:
        by_records.setdefault((move.before, move.after), []).append(move.place)
    for (before, after), places in by_records.items():
        properties = {
            "events": [{"log": str(place.log), "version": place.version} for place in places],
            "from": str(before.record_id),
            "to": str(after.record_id),
        }
        for customer_id in sorted({before.customer_id, after.customer_id}):
            yield log.InternalEvent(customer_id, "identity", "Event Refiled", properties, now)


def customers_of_event(place: EventPlace) -> set[UUID]:
    """Return the live records of an event: the one it is filed on, and the one it was written with.

    Raises UnknownEvents or FixedEvents.
    """
    filing = _read_filings([place])[place]
    return {filing.written.customer_id, filing.current.customer_id}


def customer_of_event(place: EventPlace) -> UUID:
    """Return the live record that an event is filed on. Raises UnknownEvents or FixedEvents."""
    return _read_filings([place])[place].current.customer_id


def previous_customer_of_event(place: EventPlace) -> UUID:
    """Return the live record that an undo of the last re-filing returns an event to.

    Raises UnknownEvents or FixedEvents.
    """
    return _read_filings([place])[place].previous.customer_id
