"""Stores a batch of events in one transaction, and returns their outcomes.

A batch needs a few SQL statements; their number does not depend on its size. When `store_events`
returns, each accepted event is committed on the log of its customer, and each read that starts
later includes it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError

from customers import db
from customers.db import retry
from customers.events import log, quarantine, source_warnings
from customers.events.actors import stated_actor
from customers.events.arrival import arrival_number
from customers.events.outcomes import BatchOutcomes
from customers.events.stored_messages import find_stored, may_have_public_keys
from customers.fault_isolation import FAULTS, UNREADABLE, describe_fault
from customers.identity import order_moves, record_creation, refiling, resolution
from customers.identity.contest_warnings import count_contests
from customers.identity.erased_items import find_erased_items
from customers.identity.families import ORDER
from customers.identity.identifier_warnings import (
    find_doubt_warnings,
    find_token_warnings,
    find_warnings,
)
from customers.identity.links import IdentifierKey
from customers.identity.order_years import add_years
from customers.identity.previous_accounts import alias_warnings
from customers.identity.resolved import Resolved
from customers.identity.statements import StatedEvent
from customers.projections import orders, registry
from customers.projections.traits import TraitStatement, trait_statements
from customers.tickets.storage import StatedCodes, store_stated_codes
from customers.types import (
    IncomingEvent,
    IngestedBatch,
    IngestOutcome,
    LogEntry,
    RejectedItem,
    Sender,
    merge_warnings,
)

# The quarantine reason of an item with a value that Postgres cannot store.
REFUSED_BY_DATABASE = "refused_by_database"
_FAULTS: tuple[type[Exception], ...] = (DatabaseError, *FAULTS)


class VersionMismatch(Exception):
    """The record has a newer version than the one that the caller expects."""

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
    first_place: int = 0,
    is_repeated: bool = False,
) -> IngestedBatch:
    """Store a batch of events, quarantine the faulty ones, and return a receipt.

    If an event causes an error in Butler's code or in Postgres, the function quarantines that
    event and stores the others. It divides the batch into halves to find the faulty event, and
    stores each half in a separate transaction.

    expected_version: the version that the log of the first event's customer must have. If the log
    has another version, the function raises VersionMismatch and stores no events. With an
    expected version, an error quarantines all events of the batch.

    first_place: the place of the first event in the batch as the source sent it. The place decides
    between events with the same time.

    is_repeated: True if most of the events are probably stored already. The function then looks for
    them first. Otherwise it does so after a conflict in Postgres.

    Raises django.db.OperationalError if the database is unavailable. The batch is then not stored,
    or it is stored and only the answer to COMMIT was lost. The caller can safely send it again.
    """
    try:
        return _store(
            sender,
            events,
            received_at,
            rejected_items,
            expected_version,
            first_place,
            is_repeated=is_repeated,
        )
    except _FAULTS as error:
        if not events or not db.is_value_error(error):
            raise
        if len(events) == 1 or expected_version is not None:
            return _quarantine(sender, events, received_at, rejected_items, error)
    return _store_halves(sender, events, received_at, rejected_items, first_place)


def _store_halves(
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem],
    first_place: int,
) -> IngestedBatch:
    """Store each half in a separate transaction, to quarantine only the faulty event."""
    half = len(events) // 2
    first = store_events(
        sender=sender,
        events=events[:half],
        rejected_items=rejected_items,
        received_at=received_at,
        first_place=first_place,
    )
    second = store_events(
        sender=sender,
        events=events[half:],
        received_at=received_at,
        first_place=first_place + half,
    )
    return IngestedBatch(
        [*first.outcomes, *second.outcomes],
        first.rejected,
        merge_warnings([*first.warnings, *second.warnings]),
        first.erased_items,
    )


def _store(
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem],
    expected_version: int | None = None,
    first_place: int = 0,
    *,
    is_repeated: bool = False,
) -> IngestedBatch:
    """Store a batch in one transaction; quarantine its events that cannot be folded."""
    # Few batches contain a message that is already stored. The first attempt therefore skips the
    # lookup of stored messages, unless a version or a repetition is expected. If the unique key
    # reports a duplicate, the next attempt does the lookup.
    lookups = iter((is_repeated or expected_version is not None,))
    faults: dict[str, str] = {}

    def store() -> IngestedBatch:
        """Make one attempt. Each attempt after the first looks up stored messages."""
        batch = _Batch(
            sender, events, received_at, first_place, faults, looks_up=next(lookups, True)
        )
        return batch.store(rejected_items, expected_version)

    # The loop ends, because each further attempt quarantines at least one more event.
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
    """Quarantine the events that caused an error, and the items that were rejected before."""
    fault = describe_fault(error)
    reason, detail = UNREADABLE, fault
    if isinstance(error, DatabaseError):
        reason, detail = REFUSED_BY_DATABASE, str(error)[:500]
    quarantine.log_fault(sender, reason, fault)
    faulty = [RejectedItem(event.body, reason, detail, event.message_id) for event in events]
    _store(sender, (), received_at, [*rejected_items, *faulty])
    outcomes = [IngestOutcome("quarantined", reason=reason) for _ in events]
    return IngestedBatch(outcomes, len(rejected_items))


class _Batch:
    """One attempt to store one batch, inside one transaction."""

    def __init__(
        self,
        sender: Sender,
        events: Sequence[IncomingEvent],
        received_at: datetime,
        first_place: int,
        faults: Mapping[str, str],
        *,
        looks_up: bool,
    ) -> None:
        self.sender = sender
        self.events = add_years(events, sender)
        self.received_at = received_at
        # The arrival number of the first event. The place of each event is added to it.
        self.first_arrival = arrival_number(received_at, first_place)
        # The events that an earlier attempt could not fold: the reasons by message key.
        self.faults = faults
        self.looks_up = looks_up or may_have_public_keys(sender)
        self.outcomes = BatchOutcomes(sender, events)

    def store(
        self, rejected_items: Sequence[RejectedItem], expected_version: int | None
    ) -> IngestedBatch:
        """Store the new events, quarantine the rejected items, and return all outcomes.

        Raises VersionMismatch, or Unfoldable if new events cannot be folded.
        """
        message_keys = log.incoming_message_keys(self.sender, self.events)
        matched = resolution.resolve_events(self.events, self.sender)
        identifiers, resolved = matched.keys_by_event, matched.resolved
        # This lookup follows the locks. If a batch is sent twice at the same time, the second
        # transaction finds the events of the first.
        stored = find_stored(self.sender, self.events, message_keys) if self.looks_up else {}
        self.outcomes.refuse_erased(matched.erased_events)
        new = self.outcomes.select_new(message_keys, identifiers, stored, self.faults)
        stated = [StatedEvent(self.events[i], identifiers[i], self._arrival(i)) for i in new]
        contested: frozenset[int] = frozenset()
        if new:
            # Read now: `store_missing` adds the new identifiers to `matched.resolved`.
            stored_orders = {key for key in matched.resolved if key.kind == ORDER}
            created = record_creation.store_missing(stated, matched, self.sender, self.received_at)
            resolved, contested = created.resolved, created.contested
            current = resolved[identifiers[new[0]][0]].version
            if expected_version not in (None, current):
                raise VersionMismatch(current)
            entries = self._append(new, message_keys, identifiers, resolved)
            named = [(self.events[i].name, identifiers[i]) for i in new]
            order_moves.move_orders(named, created, stored_orders, now=self.received_at)
            self._store_ticket_codes(new, entries)
            # The new placeholders may have events of this batch, too.
            refiling.refile_all(
                created.placeholders, reason="placeholder", actor="", now=self.received_at
            )
        erased_items = find_erased_items(rejected_items, self.sender, self.received_at)
        storable = [
            rejected_item
            for place, rejected_item in enumerate(rejected_items)
            if place not in erased_items
        ]
        rejected = [*storable, *self.outcomes.quarantined]
        if rejected:
            quarantine.store_rejected(rejected, self.sender, self.received_at)
        warnings = merge_warnings(
            [
                *find_warnings(
                    self._events_with_refused_identifiers(new, identifiers), self.sender
                ),
                *find_token_warnings(self.events[i] for i in new),
                *find_doubt_warnings((self.events[i] for i in new), self.sender),
                *alias_warnings(matched.refused_aliases & {*new}, self.events),
                *self.outcomes.erased_warnings(len(erased_items)),
                *count_contests(contested, stated, resolved, self.sender),
            ]
        )
        if warnings:
            # Batches of one source wait for each other here, so this is the last statement.
            source_warnings.store(warnings, self.sender.source_id, self.received_at)
        return self.outcomes.batch(len(storable))._replace(
            warnings=warnings, erased_items=erased_items
        )

    def _events_with_refused_identifiers(
        self, new: Iterable[int], identifiers: Sequence[tuple[IdentifierKey, ...]]
    ) -> list[IncomingEvent]:
        """Return the new events that name more identifiers than Butler can use."""
        return [
            self.events[i] for i in new if len(identifiers[i]) < len(self.events[i].identifiers)
        ]

    def _append(
        self,
        new: Sequence[int],
        message_keys: Sequence[str],
        identifiers: Sequence[tuple[IdentifierKey, ...]],
        resolved: Resolved,
    ) -> list[LogEntry]:
        customer_versions: dict[UUID, int] = {}
        entries = [
            self._log_entry(i, message_keys[i], identifiers[i], resolved, customer_versions)
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
        if subjects:
            registry.project(subjects, new_message_keys={message_keys[i] for i in new})
        return entries

    def _store_ticket_codes(self, new: Sequence[int], entries: Sequence[LogEntry]) -> None:
        """Store the ticket codes that trusted events state. Their orders have moved by now."""
        stated = [
            StatedCodes(
                entry.about.partition(":")[2],
                entry.customer_id,
                self.events[i].ticket_codes,
                entry.occurred_at,
                self.events[i].name == orders.PLACED,
            )
            for i, entry in zip(new, entries, strict=True)
            if self.events[i].ticket_codes
        ]
        if stated and self.sender.is_trusted:
            store_stated_codes(stated, source_id=self.sender.source_id, now=self.received_at)

    def _log_entry(
        self,
        i: int,
        message_key: str,
        identifiers: Sequence[IdentifierKey],
        resolved: Resolved,
        customer_versions: dict[UUID, int],
    ) -> LogEntry:
        """Return the log entry of an event with the next version, and write its outcome."""
        primary_identifier = resolved[identifiers[0]]
        owner = primary_identifier.customer_id
        assert owner is not None  # the first identifier of each event has a record by now
        version = customer_versions.get(owner, primary_identifier.version) + 1
        customer_versions[owner] = version
        origin = None if primary_identifier.record_id == owner else primary_identifier.record_id
        self.outcomes.accept(i, owner, version)
        identifier_ids = [resolved[key].id for key in identifiers]
        event = self.events[i]
        actor = stated_actor(event.actor, self.sender.name) if event.actor else ""
        return log.incoming_log_entry(
            event, owner, version, origin, message_key, identifier_ids, self._arrival(i), actor
        )

    def _arrival(self, i: int) -> int:
        """Return the arrival number of an event."""
        return self.first_arrival + i

    def _trait_statements(
        self, new: Sequence[int], entries: Sequence[LogEntry]
    ) -> Iterator[TraitStatement]:
        for i, entry in zip(new, entries, strict=True):
            if entry.kind == "identify":
                yield from trait_statements(self.events[i], self.sender, entry)
