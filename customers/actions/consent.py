"""Records consent statements on the ledger; they are in force when this returns."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from uuid_utils.compat import uuid7

from customers import sql
from customers.actions.changes import ChangeAuthor
from customers.actions.notes import NoSuchCustomer
from customers.consent import document as consent_document
from customers.consent import hash_chain
from customers.consent import ledger as consent_ledger
from customers.consent.ledger import Ledger
from customers.consent.ledger_entries import LedgerEntry, StatementKey, expired_consents
from customers.consent.statements import (
    ConsentStatement,
    Declarant,
    InvalidStatement,
    PublishedTerms,
    validate_reask,
    validate_statement,
)
from customers.db import retry
from customers.db.retry import RetryTransaction
from customers.events import internal_sources, log
from customers.models import Control, Notice, Purpose, Topic

__all__ = [
    "ChangeAuthor",
    "ConsentStatement",
    "InvalidStatement",
    "NoSuchCustomer",
    "StatementReceipt",
    "expire_consents",
    "record_statements",
]

# Nobody is asked again for half a year after a no.
_REASK_PAUSE = timedelta(days=183)
_REFUSALS = frozenset({"consent.refused", "consent.withdrawn"})
_CLOCK_TICK = timedelta(microseconds=1)


class StatementReceipt(NamedTuple):
    """Where the statements are: their ledger entries, the live record, its version after them."""

    entries: tuple[UUID, ...]
    customer_id: UUID
    version: int


def record_statements(
    *,
    customer_id: UUID,
    statements: Sequence[ConsentStatement],
    author: ChangeAuthor,
    now: datetime,
) -> StatementReceipt:
    """Put a customer's statements on the ledger, all or none; they hold from this commit on.

    Raises NoSuchCustomer, and InvalidStatement where one of the statements is not valid.
    """
    declarant = Declarant(author.sender.is_trusted, author.sender.channel, author.actor)
    publications = _Publications(statements)
    for statement in statements:
        validate_statement(statement, declarant, publications.terms)

    def append() -> StatementReceipt:
        live = _lock_live_record(customer_id)
        ledger = consent_ledger.read_ledgers([live])[live]
        moment = _statement_time(ledger, now)
        dated = [_dated(statement, moment, now) for statement in statements]
        if declarant.actor:
            state = ledger.state()
            for statement in dated:
                validate_reask(statement, declarant, state)
        scoped = [_ScopedStatement(statement, ledger.members) for statement in dated]
        return _ChainWriter(live, ledger, publications, declarant, now).append(scoped)

    return retry.on_conflict(append)


def expire_consents(*, now: datetime, limit: int = 200) -> int:
    """Put on the ledger which consents expired; return the number of customers concerned."""
    overdue = Control.objects.filter(expires_at__lte=now).order_by("expires_at")
    customer_ids = list(overdue.values_list("customer_id", flat=True)[:limit])
    # In the order of ids, as every other writer locks.
    for customer_id in sorted(customer_ids):
        retry.on_conflict(partial(_expire_consents_of, customer_id, now))
    return len(customer_ids)


def _expire_consents_of(customer_id: UUID, now: datetime) -> None:
    live = _lock_live_record(customer_id)
    ledger = consent_ledger.read_ledgers([live])[live]
    declarant = Declarant(is_trusted=True, channel=internal_sources.BUTLER.channel, actor="butler")
    expired = [
        # Only for the records that gave this consent: another record's consent goes on.
        _ScopedStatement(
            ConsentStatement(kind="consent.expired", subject=purpose, occurred_at=end),
            tuple(records),
        )
        for (purpose, end), records in expired_consents(ledger.entries, ledger.members, now).items()
    ]
    if expired:
        publications = _Publications([scoped.statement for scoped in expired])
        _ChainWriter(live, ledger, publications, declarant, now).append(expired)


class _ScopedStatement(NamedTuple):
    """A statement with its moment, and the records that it speaks for."""

    statement: ConsentStatement
    speaks_for: tuple[UUID, ...]


class _Publications:
    """The purposes, topics and notices of the company that some statements are about."""

    def __init__(self, statements: Sequence[ConsentStatement]) -> None:
        self.company = consent_document.Company(
            settings.BUTLER_COMPANY,
            settings.BUTLER_COUNTRY,
            f"{settings.BUTLER_SITE_URL.rstrip('/')}/preferences/",
        )
        purposes = list(Purpose.objects.values_list("key", "kind", "dpv", "details"))
        self.purpose_terms = {
            key: consent_document.PurposeTerms(dpv, details) for key, _, dpv, details in purposes
        }
        digests = {statement.notice for statement in statements if statement.notice}
        notices = Notice.objects.filter(digest__in=digests) if digests else ()
        self.notices = {
            (notice.purpose_id, notice.digest): consent_document.ShownNotice(
                notice.version, notice.language, notice.digest
            )
            for notice in notices
        }
        self.terms = PublishedTerms(
            purposes={key: kind for key, kind, _, _ in purposes},
            topics=frozenset(Topic.objects.values_list("key", flat=True)),
            notices=frozenset(self.notices),
        )


class _ChainWriter:
    """Appends entries to the chain of a live record; the caller holds the record's lock."""

    def __init__(
        self,
        live: UUID,
        ledger: Ledger,
        publications: _Publications,
        declarant: Declarant,
        now: datetime,
    ) -> None:
        self.live = live
        self.ledger = ledger
        self.publications = publications
        self.declarant = declarant
        self.now = now
        self.newest_entry_ids = _newest_entry_ids(ledger.entries)

    def append(self, scoped_statements: Sequence[_ScopedStatement]) -> StatementReceipt:
        chain_end = sql.rows("read_chain_end", {"id": self.live})
        seq, previous = chain_end[0] if chain_end else (0, hash_chain.GENESIS_DIGEST)
        rows, added, events = [], [], []
        for number, scoped in enumerate(scoped_statements, seq + 1):
            entry = self._entry(scoped, number)
            text = hash_chain.canonical_json(entry.document)
            digest = hash_chain.chain_digest(previous, text)
            rows.append(_row(entry, self.now, text, previous, digest))
            added.append(entry)
            events.append(_event(entry))
            previous = digest
        versions = log.append_internal_events(events, actor=self.declarant.actor, now=self.now)
        for row, version in zip(rows, versions, strict=True):
            row["version"] = version
        sql.run("insert_ledger_entries", {"rows": sql.json(rows)})
        ledger = Ledger(self.ledger.members, (*self.ledger.entries, *added))
        consent_ledger.store_states({self.live: ledger})
        entry_ids = tuple(UUID(entry.id) for entry in added)
        return StatementReceipt(entry_ids, self.live, versions[-1])

    def _entry(self, scoped: _ScopedStatement, seq: int) -> LedgerEntry:
        statement = scoped.statement
        assert statement.occurred_at is not None
        key = StatementKey(
            statement.kind.partition(".")[0],
            statement.subject,
            statement.channel,
            statement.topic,
        )
        entry_id = uuid7()
        position = consent_document.EntryPosition(
            entry_id,
            self.live,
            seq,
            scoped.speaks_for,
            statement.occurred_at,
            self.now,
            self.newest_entry_ids.get(key, ""),
        )
        self.newest_entry_ids[key] = str(entry_id)
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
            statement.occurred_at,
            document,
        )


def _lock_live_record(customer_id: UUID) -> UUID:
    rows = sql.rows("lock_live_record", {"id": customer_id})
    if not rows:
        raise NoSuchCustomer
    [(live, was_merged)] = rows
    if was_merged:
        raise RetryTransaction
    return UUID(str(live))


def _statement_time(ledger: Ledger, now: datetime) -> datetime:
    """Return the moment of a statement that is made now: after every earlier statement.

    Clocks of two machines differ; a withdrawal must not come to lie before the consent that
    it withdraws.
    """
    latest = max((entry.occurred_at for entry in ledger.entries), default=None)
    return max(now, latest + _CLOCK_TICK) if latest else now


def _dated(statement: ConsentStatement, moment: datetime, now: datetime) -> ConsentStatement:
    reask = statement.reask_not_before
    if reask is None and statement.kind in _REFUSALS:
        reask = now + _REASK_PAUSE
    occurred_at = min(statement.occurred_at, moment) if statement.occurred_at else moment
    return msgspec.structs.replace(statement, occurred_at=occurred_at, reask_not_before=reask)


def _newest_entry_ids(entries: Iterable[LedgerEntry]) -> dict[StatementKey, str]:
    return {entry.key: entry.id for entry in sorted(entries, key=lambda entry: entry.order)}


def _row(
    entry: LedgerEntry, now: datetime, text: bytes, previous: bytes, digest: bytes
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
    }


def _event(entry: LedgerEntry) -> log.InternalEvent:
    return log.InternalEvent(
        entry.record,
        "control",
        consent_document.event_name(entry.kind),
        consent_document.event_properties(entry.document),
        entry.occurred_at,
    )
