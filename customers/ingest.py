"""Stores a batch of events in one transaction, and returns a receipt.

Whatever its size, a batch costs a handful of statements. When this returns, every accepted
event is committed, on its customer's log, and part of every read that starts afterwards.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec
import psycopg
from django.db import DatabaseError, DataError

from customers import sql
from customers.db import retry
from customers.events import log
from customers.identity import record_creation, resolution
from customers.identity.grouping import IdentifierKey
from customers.identity.resolution import Resolved, ResolvedIdentifier
from customers.isolation import FAULTS, UNREADABLE, describe_fault
from customers.projections import registry
from customers.projections.traits import TraitStatement
from customers.types import (
    BatchReceipt,
    IncomingEvent,
    IngestOutcome,
    LogEntry,
    RejectedItem,
    Sender,
)

# A message that is on a log already: the hash of its body, and its place.
type StoredMessage = tuple[str, IngestOutcome]

# Why an item is in quarantine: Postgres cannot store a value of it.
REFUSED_BY_DATABASE = "refused_by_database"
_FAULTS: tuple[type[Exception], ...] = (DatabaseError, *FAULTS)
# SQLSTATE classes of a value that does not fit: data exceptions, program limits.
_VALUE_ERROR_CLASSES = ("22", "54")

_log = logging.getLogger(__name__)


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
) -> BatchReceipt:
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
        if not events or not is_value_error(error):
            raise
        if len(events) == 1 or expected_version is not None:
            return _quarantine(sender, events, received_at, rejected_items, error)
    half = len(events) // 2
    first = store_events(
        sender=sender,
        events=events[:half],
        rejected_items=rejected_items,
        received_at=received_at,
    )
    second = store_events(sender=sender, events=events[half:], received_at=received_at)
    return BatchReceipt([*first.outcomes, *second.outcomes], first.rejected)


def _store(
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem],
    expected_version: int | None,
) -> BatchReceipt:
    """Store a batch in one transaction; quarantine those of its events that cannot be folded."""
    # Few batches contain a message that was stored before, and the unique key tells: only then,
    # or where a version is expected, the stored messages are looked up first.
    lookups = iter((expected_version is not None,))
    faults: dict[str, str] = {}

    def store() -> BatchReceipt:
        batch = _Batch(sender, events, received_at, faults, looks_up=next(lookups, True))
        return batch.store(rejected_items, expected_version)

    # Each further attempt quarantines at least one more event, so there is an end to it.
    while True:
        try:
            return retry.on_conflict(store)
        except registry.Unfoldable as unfoldable:
            faults |= unfoldable.faults


def is_value_error(error: Exception) -> bool:
    """Tell whether a value that came with an event is the cause: trying again is vain."""
    if not isinstance(error, DatabaseError):
        return True
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return isinstance(error, DataError) or (state or "").startswith(_VALUE_ERROR_CLASSES)


def _quarantine(
    sender: Sender,
    events: Sequence[IncomingEvent],
    received_at: datetime,
    rejected_items: Sequence[RejectedItem],
    error: Exception,
) -> BatchReceipt:
    """Quarantine the events that an error is about, beside what was rejected before."""
    fault = describe_fault(error)
    reason, detail = UNREADABLE, fault
    if isinstance(error, DatabaseError):
        reason, detail = REFUSED_BY_DATABASE, str(error)[:500]
    _log_quarantined(sender, reason, fault)
    faulty = [RejectedItem(event.body, reason, detail, event.message_id) for event in events]
    _store(sender, (), received_at, [*rejected_items, *faulty], None)
    outcomes = [IngestOutcome("quarantined", reason=reason) for _ in events]
    return BatchReceipt(outcomes, len(rejected_items))


def _log_quarantined(sender: Sender, reason: str, fault: str) -> None:
    _log.error("an event of source %d is in quarantine as %s: %s", sender.source_id, reason, fault)


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
        # Secret, and not trusted: its claims may have been stored as those of a public key.
        self.has_public_keys = sender.is_secret and not sender.is_trusted
        self.looks_up = looks_up or self.has_public_keys
        self.outcomes: list[IngestOutcome | None] = [None] * len(events)
        self.quarantined: list[RejectedItem] = []

    def store(
        self, rejected_items: Sequence[RejectedItem], expected_version: int | None
    ) -> BatchReceipt:
        source_id, is_public = self.sender.source_id, self.sender.is_public
        message_keys = [
            log.message_key(source_id, event.message_id, is_public=is_public)
            for event in self.events
        ]
        identifiers = [resolution.identifier_keys(event, self.sender) for event in self.events]
        resolved, blocked, stored = self._look_up(message_keys, identifiers)
        if blocked:
            identifiers = [
                tuple(key for key in keys if key[:2] not in blocked) for keys in identifiers
            ]
        identifiers = resolution.put_changed_orders_first(self.events, identifiers, resolved)
        new = self._select_new(message_keys, identifiers, stored)
        if new:
            links = resolution.links_of(
                [(self.events[i], identifiers[i]) for i in new], self.sender
            )
            resolved = record_creation.open_missing(
                [identifiers[i] for i in new], links, resolved, self.sender, self.received_at
            )
            if expected_version is not None:
                self._check_version(resolved[identifiers[new[0]][0]], expected_version)
            self._append(new, message_keys, identifiers, resolved)
        if rejected_items or self.quarantined:
            quarantine([*rejected_items, *self.quarantined], self.sender, self.received_at)
        outcomes = [outcome for outcome in self.outcomes if outcome is not None]
        return BatchReceipt(outcomes, len(rejected_items))

    def _look_up(
        self, message_keys: Sequence[str], identifiers: Iterable[tuple[IdentifierKey, ...]]
    ) -> tuple[Resolved, set[tuple[str, str]], dict[str, StoredMessage]]:
        resolved, blocked = resolution.resolve({key for keys in identifiers for key in keys})
        # After the locks are taken: a batch sent twice at once finds the first one's events.
        stored = self._find_stored(message_keys) if self.looks_up else {}
        return resolved, blocked, stored

    def _find_stored(self, message_keys: Sequence[str]) -> dict[str, StoredMessage]:
        """Find the messages that are on a log, by the key that each has in this batch.

        Before message keys told the classes of keys apart, claims of a secret key were stored
        as those of a publishable one. The same content under that key is the same message;
        other content is somebody else's and occupies nothing.
        """
        public = {
            log.message_key(self.sender.source_id, event.message_id, is_public=True): (key, event)
            for key, event in zip(message_keys, self.events, strict=True)
            if self.has_public_keys
        }
        params = {"keys": f"{{{','.join([*message_keys, *public])}}}"}
        stored: dict[str, StoredMessage] = {}
        for stored_key, body_hash, customer_id, version in sql.rows("find_stored_messages", params):
            key, event = public.get(stored_key, (stored_key, None))
            if event is None or body_hash == event.body_hash.hex():
                outcome = IngestOutcome("duplicate", customer_id, version)
                stored.setdefault(key, (body_hash, outcome))
        return stored

    def _select_new(
        self,
        message_keys: Sequence[str],
        identifiers: Sequence[tuple[IdentifierKey, ...]],
        stored: dict[str, StoredMessage],
    ) -> list[int]:
        """Return which events are new and can be stored; write the outcomes of the others."""
        new = []
        for i, (event, key) in enumerate(zip(self.events, message_keys, strict=True)):
            body_hash = event.body_hash.hex()
            if before := stored.get(key):
                self._repeat(i, event, before[1] if before[0] == body_hash else None)
            elif not identifiers[i]:
                detail = "nothing says whose event this is"
                self._quarantine(i, event, "no_identifier", detail)
            elif fault := self.faults.get(key):
                _log_quarantined(self.sender, UNREADABLE, fault)
                self._quarantine(i, event, UNREADABLE, fault)
            else:
                stored[key] = body_hash, IngestOutcome("duplicate")
                new.append(i)
        return new

    def _repeat(self, i: int, event: IncomingEvent, same: IngestOutcome | None) -> None:
        if same:
            self.outcomes[i] = same
        else:
            self._quarantine(i, event, "other_content", "this message id was used before")

    def _quarantine(self, i: int, event: IncomingEvent, reason: str, detail: str) -> None:
        self.quarantined.append(RejectedItem(event.body, reason, detail, event.message_id))
        if reason == "other_content":
            self.outcomes[i] = IngestOutcome("other_content", reason=reason)
        else:
            self.outcomes[i] = IngestOutcome("quarantined", reason=reason)

    def _check_version(self, identifier: ResolvedIdentifier, expected: int) -> None:
        if identifier.version != expected:
            raise VersionMismatch(identifier.version)

    def _append(
        self,
        new: Sequence[int],
        message_keys: Sequence[str],
        identifiers: Sequence[tuple[IdentifierKey, ...]],
        resolved: Resolved,
    ) -> None:
        customer_versions: dict[UUID, int] = {}
        entries, statements, subjects = [], [], []
        for i in new:
            event, filing_identifier = self.events[i], resolved[identifiers[i][0]]
            owner = filing_identifier.customer_id
            assert owner is not None  # the first identifier of each event has a record by now
            version = customer_versions.get(owner, filing_identifier.version) + 1
            customer_versions[owner] = version
            origin = None if filing_identifier.record_id == owner else filing_identifier.record_id
            self.outcomes[i] = IngestOutcome("accepted", owner, version)
            ids = [resolved[key].id for key in identifiers[i]]
            entries.append(_log_entry(event, owner, version, origin, message_keys[i], ids))
            if event.traits and event.kind == "identify":
                statements += self._trait_statements(event, owner, message_keys[i])
            if event.about:
                subjects.append(registry.Subject(owner, event.about))
        log.append(
            entries,
            source_id=self.sender.source_id,
            evidence=self.sender.evidence,
            received_at=self.received_at,
        )
        registry.store_traits(statements)
        registry.project(subjects, new_message_keys={message_keys[i] for i in new})

    def _trait_statements(
        self, event: IncomingEvent, customer_id: UUID, message_key: str
    ) -> list[TraitStatement]:
        return [
            TraitStatement(
                customer_id=customer_id,
                name=name,
                value=value,
                evidence=self.sender.evidence,
                source_id=self.sender.source_id,
                occurred_at=event.occurred_at,
                message_key=message_key,
            )
            for name, value in (event.traits or {}).items()
        ]


def _log_entry(
    event: IncomingEvent,
    owner: UUID,
    version: int,
    origin: UUID | None,
    message_key: str,
    identifier_ids: list[int],
) -> LogEntry:
    return LogEntry(
        customer_id=owner,
        version=version,
        origin_id=origin,
        message_id=event.message_id,
        message_key=message_key,
        body_hash=event.body_hash.hex(),
        kind=event.kind,
        name=event.name,
        about=event.about,
        actor=event.actor,
        identifier_ids=identifier_ids,
        occurred_at=event.occurred_at,
        body=msgspec.Raw(event.body),
    )


def quarantine(
    rejected_items: Sequence[RejectedItem], sender: Sender, received_at: datetime
) -> None:
    """Store rejected items as they came. Sent again, an item stays one."""
    sql.run(
        "insert_quarantined_items",
        {
            "source_id": sender.source_id,
            "evidence": sender.evidence,
            "received_at": received_at,
            "message_ids": [_storable(rejected.message_id) for rejected in rejected_items],
            "reasons": [rejected.reason for rejected in rejected_items],
            "details": [_storable(rejected.detail) for rejected in rejected_items],
            "raws": [rejected.raw for rejected in rejected_items],
            "is_secret": not sender.is_public,
            "digests": [_digest(sender, rejected.raw) for rejected in rejected_items],
        },
    )


def _storable(text: str) -> str:
    """Return text as Postgres takes it: without NUL and lone surrogates, and not endless."""
    return text[:1000].replace("\x00", "\ufffd").encode(errors="replace").decode()


def _digest(sender: Sender, raw: bytes) -> UUID:
    person = log.PUBLISHABLE_KEY if sender.is_public else b""
    whole = b"%d:%b" % (sender.source_id, raw)
    return UUID(bytes=blake2b(whole, digest_size=16, person=person).digest())
