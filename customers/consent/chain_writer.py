"""Appends the entries of consent statements to the chain of a record, with their events."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import sql
from customers.consent import document as consent_document
from customers.consent import hash_chain
from customers.consent import ledger as consent_ledger
from customers.consent.ledger import Ledger
from customers.consent.ledger_entries import LedgerEntry, StatementKey
from customers.consent.publications import Publications
from customers.consent.statements import ConsentStatement, Declarant
from customers.events import log
from customers.types import CONSENT_KIND


class RecordedStatements(NamedTuple):
    """The ledger entries of the statements, the live record, and its version after them."""

    entries: tuple[UUID, ...]
    customer_id: UUID
    version: int


class ScopedStatement(NamedTuple):
    """A statement with its event time, and the records that it speaks for."""

    statement: ConsentStatement
    speaks_for: tuple[UUID, ...]


class ChainWriter:
    """Appends entries to the chain of a live record. The caller holds the lock of the record."""

    def __init__(
        self,
        live: UUID,
        ledger: Ledger,
        publications: Publications,
        declarant: Declarant,
        now: datetime,
    ) -> None:
        self.live = live
        self.ledger = ledger
        self.publications = publications
        self.declarant = declarant
        self.now = now
        self.newest_entry_ids = _newest_entry_ids(ledger.entries)

    def append(self, scoped_statements: Sequence[ScopedStatement]) -> RecordedStatements:
        """Store an entry for each statement, and the new consent state; return a receipt."""
        chain_end = sql.rows("read_chain_end", {"id": self.live})
        seq, previous = chain_end[0] if chain_end else (0, hash_chain.GENESIS_DIGEST)
        entries = [
            self._entry(scoped, number) for number, scoped in enumerate(scoped_statements, seq + 1)
        ]
        events = [_event(entry) for entry in entries]
        versions = log.append_internal_events(events, actor=self.declarant.actor, now=self.now)
        rows = []
        for entry, version in zip(entries, versions, strict=True):
            text = hash_chain.canonical_json(entry.document)
            digest = hash_chain.chain_digest(previous, text)
            rows.append(_row(entry, self.now, version, text, previous, digest))
            previous = digest
        sql.run("insert_ledger_entries", {"rows": sql.json(rows)})
        ledger = Ledger(self.ledger.record_ids, (*self.ledger.entries, *entries))
        consent_ledger.store_states({self.live: ledger})
        entry_ids = tuple(UUID(entry.id) for entry in entries)
        return RecordedStatements(entry_ids, self.live, versions[-1])

    def _entry(self, scoped: ScopedStatement, seq: int) -> LedgerEntry:
        statement = scoped.statement
        position = self._position(scoped, seq)
        document = consent_document.build_document(
            statement,
            self.declarant,
            position,
            self.publications.company,
            self.publications.purpose_terms.get(statement.subject, consent_document.PurposeTerms()),
            self.publications.notices.get((statement.subject, statement.notice)),
        )
        return LedgerEntry(
            self.live,
            seq,
            scoped.speaks_for,
            statement.kind,
            statement.subject,
            position.occurred_at,
            document,
        )

    def _position(self, scoped: ScopedStatement, seq: int) -> consent_document.EntryPosition:
        """Return the place of a new entry. It supersedes the newest entry with the same key."""
        statement = scoped.statement
        assert statement.occurred_at is not None
        family = statement.kind.partition(".")[0]
        key = StatementKey(family, statement.subject, statement.channel, statement.topic)
        entry_id = uuid7()
        superseded = self.newest_entry_ids.get(key, "")
        self.newest_entry_ids[key] = str(entry_id)
        return consent_document.EntryPosition(
            entry_id,
            self.live,
            seq,
            scoped.speaks_for,
            statement.occurred_at,
            self.now,
            superseded,
        )


def _newest_entry_ids(entries: Iterable[LedgerEntry]) -> dict[StatementKey, str]:
    return {entry.key: entry.id for entry in sorted(entries, key=lambda entry: entry.order)}


def _row(
    entry: LedgerEntry, now: datetime, version: int, text: bytes, previous: bytes, digest: bytes
) -> dict[str, Any]:
    return {
        "record_id": entry.record,
        "seq": entry.seq,
        "entry_id": entry.id,
        "speaks_for": sorted(entry.speaks_for),
        "kind": entry.kind,
        "subject": entry.subject,
        "occurred_at": entry.occurred_at,
        "recorded_at": now,
        "document": text.decode(),
        "previous": previous.hex(),
        "digest": digest.hex(),
        "version": version,
    }


def _event(entry: LedgerEntry) -> log.InternalEvent:
    return log.InternalEvent(
        entry.record,
        CONSENT_KIND,
        consent_document.event_name(entry.kind),
        consent_document.event_properties(entry.document),
        entry.occurred_at,
    )
