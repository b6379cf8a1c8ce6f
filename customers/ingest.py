"""Stores a batch of events in one transaction, and returns their outcomes.

Whatever its size, a batch costs a handful of statements. When this returns, every accepted
event is committed, on its customer's log, and part of every read that starts afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError

from customers import db
from customers.db import retry
from customers.events import log, quarantine
from customers.events.outcomes import BatchOutcomes
from customers.events.stored_messages import find_stored, may_have_public_keys
from customers.fault_isolation import FAULTS, UNREADABLE, describe_fault
from customers.identity import record_creation, resolution
from customers.identity.grouping import IdentifierKey
from customers.identity.resolution import Resolved, ResolvedIdentifier
from customers.projections import registry
from customers.projections.traits import TraitStatement, trait_statements
from customers.types import (
    IncomingEvent,
    IngestedBatch,
    IngestOutcome,
    LogEntry,
    RejectedItem,
    Sender,
)

# Why an item is in quarantine: Postgres cannot store a value of it.
REFUSED_BY_DATABASE = "refused_by_database"
_FAULTS: tuple[type[Exception], ...] = (DatabaseError, *FAULTS)


class VersionMismatch(Exception):
    """The record moved on since the caller read it."""

    def __init__(self, current: int) -> None:
        super().__init__(current)
        self.current = current


def store_events(
    *,
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem] = (),
    expected_version: int | None = None,
) -> IngestedBatch:
    """Store a batch of events, and quarantine what cannot be stored.

    An event that raises a fault, in our own code or in Postgres, goes to quarantine, and the
    others are stored; the faulty one is found by halves, each in a transaction of its own.

    `expected_version` is the version that the log of the first event's customer must have; any
    other raises VersionMismatch and stores nothing, and a fault quarantines all events. Raises
    django.db.OperationalError where the database is away: then nothing was stored, or, when
    the answer to COMMIT was lost, it was, and sending the batch again is harmless.
    """
    try:
        return _store(sender, events, received_at, rejected_items, expected_version)
    except _FAULTS as error:
        if not events or not db.is_value_error(error):
            raise
        if len(events) == 1 or expected_version is not None:
            return _quarantine(sender, events, received_at, rejected_items, error)
    return _store_halves(sender, events, received_at, rejected_items)


def _store_halves(
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem],
) -> IngestedBatch:
    """Store each half in a transaction of its own, so that a fault quarantines the faulty one."""
    half = len(events) // 2
    first = store_events(
        sender=sender,
        events=events[:half],
        rejected_items=rejected_items,
        received_at=received_at,
    )
    second = store_events(sender=sender, events=events[half:], received_at=received_at)
    return IngestedBatch([*first.outcomes, *second.outcomes], first.rejected)


def _store(
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem],
    expected_version: int | None,
) -> IngestedBatch:
    """Store a batch in one transaction; quarantine those of its events that cannot be folded."""
    # Few batches contain a message that was stored before, and the unique key tells: only then,
    # or where a version is expected, the stored messages are looked up first.
    lookups = iter((expected_version is not None,))
    faults: dict[str, str] = {}

    def store() -> IngestedBatch:
        batch = _Batch(sender, events, received_at, faults, looks_up=next(lookups, True))
        return batch.store(rejected_items, expected_version)

    # Each further attempt quarantines at least one more event, so there is an end to it.
    while True:
        try:
            return retry.on_conflict(store)
        except registry.Unfoldable as unfoldable:
            faults |= unfoldable.faults


def _quarantine(
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem],
    error: Exception,
) -> IngestedBatch:
    """Quarantine the events that an error is about, beside what was rejected before."""
    fault = describe_fault(error)
    reason, detail = UNREADABLE, fault
    if isinstance(error, DatabaseError):
        reason, detail = REFUSED_BY_DATABASE, str(error)[:500]
    quarantine.log_fault(sender, reason, fault)
    faulty = [RejectedItem(event.body, reason, detail, event.message_id) for event in events]
    _store(sender, (), received_at, [*rejected_items, *faulty], None)
    outcomes = [IngestOutcome("quarantined", reason=reason) for _ in events]
    return IngestedBatch(outcomes, len(rejected_items))


class _Batch:
    """One attempt at one batch, inside one transaction."""

    def __init__(
        self,
        sender: Sender,
        events: Sequence[IncomingEvent],
        received_at: datetime,
        faults: Mapping[str, str],
        *,
        looks_up: bool,
    ) -> None:
        self.sender = sender
        self.events = events
        self.received_at = received_at
        # Message keys of events that an earlier attempt could not fold, and why.
        self.faults = faults
        self.looks_up = looks_up or may_have_public_keys(sender)
        self.outcomes = BatchOutcomes(sender, events)

    def store(
        self, rejected_items: Sequence[RejectedItem], expected_version: int | None
    ) -> IngestedBatch:
        message_keys = [log.incoming_message_key(self.sender, event) for event in self.events]
        identifiers, resolved = resolution.resolve_events(self.events, self.sender)
        # After the locks are taken: a batch sent twice at once finds the first one's events.
        stored = find_stored(self.sender, self.events, message_keys) if self.looks_up else {}
        new = self.outcomes.select_new(message_keys, identifiers, stored, self.faults)
        if new:
            resolved = record_creation.open_missing(
                [(self.events[i], identifiers[i]) for i in new],
                resolved,
                self.sender,
                self.received_at,
            )
            current = resolved[identifiers[new[0]][0]].version
            if expected_version not in (None, current):
                raise VersionMismatch(current)
            self._append(new, message_keys, identifiers, resolved)
        rejected = [*rejected_items, *self.outcomes.quarantined]
        if rejected:
            quarantine.store_rejected(rejected, self.sender, self.received_at)
        return self.outcomes.batch(len(rejected_items))

    def _append(
        self,
        new: Sequence[int],
        message_keys: Sequence[str],
        identifiers: Sequence[tuple[IdentifierKey, ...]],
        resolved: Resolved,
    ) -> None:
        customer_versions: dict[UUID, int] = {}
        entries = [
            self._log_entry(
                i, message_keys[i], [resolved[key] for key in identifiers[i]], customer_versions
            )
            for i in new
        ]
        log.append(
            entries,
            source_id=self.sender.source_id,
            evidence=self.sender.evidence,
            received_at=self.received_at,
        )
        registry.store_traits(self._trait_statements(new, entries))
        subjects = [
            registry.Subject(entry.customer_id, entry.about) for entry in entries if entry.about
        ]
        registry.project(subjects, new_message_keys={message_keys[i] for i in new})

    def _log_entry(
        self,
        i: int,
        message_key: str,
        identifiers: Sequence[ResolvedIdentifier],
        customer_versions: dict[UUID, int],
    ) -> LogEntry:
        """Give an event the next version of its customer's log, and write its outcome."""
        primary_identifier = identifiers[0]
        owner = primary_identifier.customer_id
        assert owner is not None  # the first identifier of each event has a record by now
        version = customer_versions.get(owner, primary_identifier.version) + 1
        customer_versions[owner] = version
        origin = None if primary_identifier.record_id == owner else primary_identifier.record_id
        self.outcomes.accept(i, owner, version)
        identifier_ids = [identifier.id for identifier in identifiers]
        return log.incoming_log_entry(
            self.events[i], owner, version, origin, message_key, identifier_ids
        )

    def _trait_statements(
        self, new: Sequence[int], entries: Sequence[LogEntry]
    ) -> Iterator[TraitStatement]:
        for i, entry in zip(new, entries, strict=True):
            if entry.kind == "identify":
                yield from trait_statements(
                    self.events[i], self.sender, entry.customer_id, entry.message_key
                )
