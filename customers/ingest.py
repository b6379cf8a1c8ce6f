"""The way into the record: a batch of events in, one transaction, and a receipt.

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
from customers.identity import resolution
from customers.identity.resolution import Place
from customers.identity.shortcuts import Atom
from customers.isolation import FAULTS, UNREADABLE, describe
from customers.projections import registry
from customers.projections.traits import Said
from customers.types import (
    BatchReceipt,
    IncomingEvent,
    IngestOutcome,
    LogEntry,
    RejectedItem,
    Sender,
)

# What was seen before under a message's key: the hash of its body, and where it stands.
type Known = tuple[str, IngestOutcome]

# Why something is in quarantine: Postgres cannot store a value of it.
REFUSED_BY_DATABASE = "refused_by_database"
_FAULTS: tuple[type[Exception], ...] = (DatabaseError, *FAULTS)
# SQLSTATE classes of a value that does not fit: data exceptions, program limits.
_ABOUT_A_VALUE = ("22", "54")

_log = logging.getLogger(__name__)


class VersionMismatch(Exception):
    """The record moved on since the caller read it."""

    def __init__(self, current: int) -> None:
        super().__init__(current)
        self.current = current


def record(
    *,
    sender: Sender,
    items: Sequence[IncomingEvent],
    received_at: datetime,
    refused: Sequence[RejectedItem] = (),
    expected_version: int | None = None,
) -> BatchReceipt:
    """Put a batch of events on the record, or keep apart what cannot be.

    An item that raises a fault, in our own code or in Postgres, goes to quarantine, and the
    others are stored; the offender is found by halves, each in a transaction of its own.

    `expected_version` is what the log of the first item's customer must stand at; anything
    else raises VersionMismatch and stores nothing, and a fault sets all items apart. Raises
    django.db.OperationalError where the database is away: then nothing was stored, or, when
    the answer to COMMIT was lost, it was, and sending the batch again is harmless.
    """
    try:
        return _record(sender, items, received_at, refused, expected_version)
    except _FAULTS as error:
        if not items or not is_about_a_value(error):
            raise
        if len(items) == 1 or expected_version is not None:
            return _quarantine(sender, items, received_at, refused, error)
    half = len(items) // 2
    first = record(sender=sender, items=items[:half], refused=refused, received_at=received_at)
    second = record(sender=sender, items=items[half:], received_at=received_at)
    return BatchReceipt([*first.outcomes, *second.outcomes], first.refused)


def _record(
    sender: Sender,
    items: Sequence[IncomingEvent],
    received_at: datetime,
    refused: Sequence[RejectedItem],
    expected_version: int | None,
) -> BatchReceipt:
    """Store a batch in one transaction; set apart which of its events cannot be folded."""
    # Hardly any batch brings something that was seen before, and the unique key tells: only
    # then, or where a version is at stake, it is worth looking first.
    looks = iter((expected_version is not None,))
    faults: dict[str, str] = {}

    def store() -> BatchReceipt:
        batch = _Batch(sender, items, received_at, faults, looks_first=next(looks, True))
        return batch.store(refused, expected_version)

    # Each further try sets at least one more item apart, so there is an end to it.
    while True:
        try:
            return retry.on_conflict(store)
        except registry.Unfoldable as unfoldable:
            faults |= unfoldable.faults


def is_about_a_value(error: Exception) -> bool:
    """Tell whether a value that came with an event is to blame: trying again is vain."""
    if not isinstance(error, DatabaseError):
        return True
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return isinstance(error, DataError) or (state or "").startswith(_ABOUT_A_VALUE)


def _quarantine(
    sender: Sender,
    items: Sequence[IncomingEvent],
    received_at: datetime,
    refused: Sequence[RejectedItem],
    error: Exception,
) -> BatchReceipt:
    """Put into quarantine the items that an error is about, beside what was refused before."""
    fault = describe(error)
    reason, detail = UNREADABLE, fault
    if isinstance(error, DatabaseError):
        reason, detail = REFUSED_BY_DATABASE, str(error)[:500]
    _log_apart(sender, reason, fault)
    apart = [RejectedItem(item.body, reason, detail, item.message_id) for item in items]
    _record(sender, (), received_at, [*refused, *apart], None)
    return BatchReceipt([IngestOutcome("quarantined", reason=reason) for _ in items], len(refused))


def _log_apart(sender: Sender, reason: str, fault: str) -> None:
    _log.error("an event of source %d is in quarantine as %s: %s", sender.source_id, reason, fault)


class _Batch:
    """One try at one batch, inside one transaction."""

    def __init__(
        self,
        sender: Sender,
        items: Sequence[IncomingEvent],
        received_at: datetime,
        faults: Mapping[str, str],
        *,
        looks_first: bool,
    ) -> None:
        self.sender = sender
        self.items = items
        self.received_at = received_at
        # Message keys of items that an earlier try could not fold, and why.
        self.faults = faults
        # Secret, and not trusted: its claims may have been stored as those of a public key.
        self.has_public_keys = sender.is_secret and not sender.is_trusted
        self.looks_first = looks_first or self.has_public_keys
        self.outcomes: list[IngestOutcome | None] = [None] * len(items)
        self.apart: list[RejectedItem] = []

    def store(self, refused: Sequence[RejectedItem], expected_version: int | None) -> BatchReceipt:
        source_id, is_public = self.sender.source_id, self.sender.is_public
        keys = [
            log.message_key(source_id, item.message_id, is_public=is_public) for item in self.items
        ]
        atoms = [resolution.atoms_of(item, self.sender) for item in self.items]
        places, blocked, seen = self._look_up(keys, atoms)
        if blocked:
            atoms = [tuple(a for a in one if a[:2] not in blocked) for one in atoms]
        atoms = resolution.changed_first(self.items, atoms, places)
        fresh = self._sort_out(keys, atoms, seen)
        if fresh:
            links = resolution.links_of([(self.items[i], atoms[i]) for i in fresh], self.sender)
            groups = [atoms[i] for i in fresh]
            places = resolution.file(groups, links, places, self.sender, self.received_at)
            if expected_version is not None:
                self._compare(places[atoms[fresh[0]][0]], expected_version)
            self._append(fresh, keys, atoms, places)
        if refused or self.apart:
            keep_apart([*refused, *self.apart], self.sender, self.received_at)
        return BatchReceipt([o for o in self.outcomes if o is not None], len(refused))

    def _look_up(
        self, keys: Sequence[str], atoms: Iterable[tuple[Atom, ...]]
    ) -> tuple[dict[Atom, Place], set[tuple[str, str]], dict[str, Known]]:
        wanted = {atom for one in atoms for atom in one}
        places, blocked = resolution.locate(wanted)
        seen: dict[str, Known] = {}
        # After the locks are held: a batch sent twice at once finds the first one's events.
        if self.looks_first:
            seen = self._find_seen(keys)
        return places, blocked, seen

    def _find_seen(self, keys: Sequence[str]) -> dict[str, Known]:
        """Find the messages that are on a log, by the key that each has in this batch.

        Before message keys told the classes of keys apart, claims of a secret key were stored
        as those of a publishable one. The same content under that key is the same message;
        other content is somebody else's and occupies nothing.
        """
        public = {
            log.message_key(self.sender.source_id, item.message_id, is_public=True): (key, item)
            for key, item in zip(keys, self.items, strict=True)
            if self.has_public_keys
        }
        rows = sql.rows("find_seen", {"keys": f"{{{','.join([*keys, *public])}}}"})
        seen: dict[str, Known] = {}
        for stored_key, digest, customer_id, version in rows:
            key, item = public.get(stored_key, (stored_key, None))
            if item is None or digest == item.body_hash.hex():
                seen.setdefault(key, (digest, IngestOutcome("duplicate", customer_id, version)))
        return seen

    def _sort_out(
        self, keys: Sequence[str], atoms: Sequence[tuple[Atom, ...]], seen: dict[str, Known]
    ) -> list[int]:
        """Return which items are news and can be filed; settle the others."""
        fresh = []
        for i, (item, key) in enumerate(zip(self.items, keys, strict=True)):
            body_hash = item.body_hash.hex()
            if before := seen.get(key):
                self._repeat(i, item, before[1] if before[0] == body_hash else None)
            elif not atoms[i]:
                self._set_apart(i, item, "no_identifier", "nothing says whose event this is")
            elif fault := self.faults.get(key):
                _log_apart(self.sender, UNREADABLE, fault)
                self._set_apart(i, item, UNREADABLE, fault)
            else:
                seen[key] = body_hash, IngestOutcome("duplicate")
                fresh.append(i)
        return fresh

    def _repeat(self, i: int, item: IncomingEvent, same: IngestOutcome | None) -> None:
        if same:
            self.outcomes[i] = same
        else:
            self._set_apart(i, item, "other_content", "this message id was used before")

    def _set_apart(self, i: int, item: IncomingEvent, reason: str, detail: str) -> None:
        self.apart.append(RejectedItem(item.body, reason, detail, item.message_id))
        if reason == "other_content":
            self.outcomes[i] = IngestOutcome("other_content", reason=reason)
        else:
            self.outcomes[i] = IngestOutcome("quarantined", reason=reason)

    def _compare(self, place: Place, expected: int) -> None:
        if place.version != expected:
            raise VersionMismatch(place.version)

    def _append(
        self,
        fresh: Sequence[int],
        keys: Sequence[str],
        atoms: Sequence[tuple[Atom, ...]],
        places: dict[Atom, Place],
    ) -> None:
        heads: dict[UUID, int] = {}
        entries, said, subjects = [], [], []
        for i in fresh:
            item, home = self.items[i], places[atoms[i][0]]
            owner = home.customer_id
            assert owner is not None  # every head of an event files under a record
            version = heads[owner] = heads.get(owner, home.version) + 1
            origin = None if home.record_id == owner else home.record_id
            self.outcomes[i] = IngestOutcome("accepted", owner, version)
            ids = [places[atom].id for atom in atoms[i]]
            entries.append(_entry(item, owner, version, origin, keys[i], ids))
            if item.traits and item.kind == "identify":
                said += self._said(item, owner, keys[i])
            if item.about:
                subjects.append(registry.Subject(owner, item.about))
        log.append(
            entries,
            source_id=self.sender.source_id,
            evidence=self.sender.evidence,
            received_at=self.received_at,
        )
        registry.keep_traits(said)
        registry.keep_subjects(subjects, news={keys[i] for i in fresh})

    def _said(self, item: IncomingEvent, customer_id: UUID, key: str) -> list[Said]:
        evidence, source_id = self.sender.evidence, self.sender.source_id
        return [
            Said(customer_id, name, value, evidence, source_id, item.occurred_at, key)
            for name, value in (item.traits or {}).items()
        ]


def _entry(
    item: IncomingEvent, owner: UUID, version: int, origin: UUID | None, key: str, ids: list[int]
) -> LogEntry:
    return LogEntry(
        customer_id=owner,
        version=version,
        origin_id=origin,
        message_id=item.message_id,
        message_key=key,
        body_hash=item.body_hash.hex(),
        kind=item.kind,
        name=item.name,
        about=item.about,
        actor=item.actor,
        identifier_ids=ids,
        occurred_at=item.occurred_at,
        body=msgspec.Raw(item.body),
    )


def keep_apart(refused: Sequence[RejectedItem], sender: Sender, received_at: datetime) -> None:
    """Put into quarantine, as it came, what cannot be taken in. Sent again, it stays one."""
    sql.run(
        "keep_apart",
        {
            "source_id": sender.source_id,
            "evidence": sender.evidence,
            "received_at": received_at,
            "message_ids": [_storable(one.message_id) for one in refused],
            "reasons": [one.reason for one in refused],
            "details": [_storable(one.detail) for one in refused],
            "raws": [one.raw for one in refused],
            "is_secret": not sender.is_public,
            "digests": [_digest(sender, one.raw) for one in refused],
        },
    )


def _storable(text: str) -> str:
    """Return text as Postgres takes it: without NUL and lone surrogates, and not endless."""
    return text[:1000].replace("\x00", "\ufffd").encode(errors="replace").decode()


def _digest(sender: Sender, raw: bytes) -> UUID:
    person = log.PUBLISHABLE_KEY if sender.is_public else b""
    whole = b"%d:%b" % (sender.source_id, raw)
    return UUID(bytes=blake2b(whole, digest_size=16, person=person).digest())
