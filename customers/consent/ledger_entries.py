"""Selects the entries of the ledger that hold for a record. Pure.

The order of entries is the order in which customers made the statements, not the order in which
Butler received them. Of two statements with the same time, the stricter one holds.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from customers.consent.state import ANY
from customers.consent.strictness import Strictness, strictness


class StatementKey(NamedTuple):
    """The subject and scope of a statement. The later of two statements with the same key holds.

    `family` is the first part of the kind: consent, objection, preference or signal.
    """

    family: str
    subject: str
    channel: str = ANY
    topic: str = ANY


class LedgerEntry(msgspec.Struct, frozen=True):
    """One entry of the ledger, with the fields that folding reads."""

    record: UUID
    seq: int
    # The records for which the customer made the statement. It holds for no other records.
    speaks_for: tuple[UUID, ...]
    kind: str
    # Of a consent or objection: the purpose. Of a preference: the name of the setting.
    subject: str
    occurred_at: datetime
    document: dict[str, Any]

    @property
    def id(self) -> str:
        """The id of the entry itself, from its document; not the id of the customer's record."""
        return str(self.document["record_id"])

    @property
    def key(self) -> StatementKey:
        """The family (such as "consent"), subject, channel and topic of the statement."""
        family = self.kind.partition(".")[0]
        document = self.document
        return StatementKey(family, self.subject, document["channel"], document["topic"])

    @property
    def strictness(self) -> Strictness:
        """The strictness of the statement, which decides between contradicting entries."""
        return strictness(self.kind, self.subject, self.document["value"])

    @property
    def order(self) -> tuple[datetime, Strictness, str]:
        """The sort key of entries: the time of the statement first, then the strictness."""
        return self.occurred_at, self.strictness, self.id


# The entries that hold for one record, by key.
type NewestEntries = dict[StatementKey, LedgerEntry]


def newest_by_key(entries: Iterable[LedgerEntry], record_id: UUID) -> NewestEntries:
    """Return the entries that hold for one record, by key."""
    own_entries = [entry for entry in entries if record_id in entry.speaks_for]
    newest: NewestEntries = {}
    for entry in sorted(own_entries, key=lambda entry: entry.order):
        before = newest.get(entry.key)
        # An imported list cannot make an earlier statement of the customer less strict.
        is_import = entry.document["source_channel"] == "import"
        if before is None or not is_import or entry.strictness >= before.strictness:
            newest[entry.key] = entry
    return newest


def expired_consents(
    entries: Iterable[LedgerEntry], record_ids: Iterable[UUID], now: datetime
) -> dict[tuple[str, datetime], list[UUID]]:
    """Return the expired consents: for each purpose and end, the records that gave them."""
    entries = list(entries)
    records: dict[tuple[str, datetime], list[UUID]] = defaultdict(list)
    for record_id in sorted(record_ids):
        for key, entry in newest_by_key(entries, record_id).items():
            end = parse_moment(entry.document["valid_until"])
            if entry.kind == "consent.given" and end and end <= now:
                records[key.subject, end].append(record_id)
    return dict(records)


def newest_entries(
    entries: Iterable[LedgerEntry], record_ids: Iterable[UUID], key: StatementKey
) -> list[LedgerEntry]:
    """Return the entries with this key that hold for these records, at most one for each record."""
    entries = list(entries)
    by_record = [newest_by_key(entries, record_id) for record_id in record_ids]
    return [by_key[key] for by_key in by_record if key in by_key]


def parse_moment(text: str | None) -> datetime | None:
    """Return a moment from the ISO 8601 text in a document; None if the text is empty."""
    return datetime.fromisoformat(text) if text else None
