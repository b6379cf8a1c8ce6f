"""Entries of the ledger, and which of them hold for a record. Pure.

Entries hold in the order in which customers made the statements, not in which we received them;
at the same moment the stricter one holds.
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
    """What a statement is about; of two statements with the same key the later one holds.

    `family` is the first part of its kind: consent, objection, preference or signal.
    """

    family: str
    subject: str
    channel: str = ANY
    topic: str = ANY


class LedgerEntry(msgspec.Struct, frozen=True):
    """One entry of the ledger, as far as folding reads it."""

    record: UUID
    seq: int
    # The records for which it was said, and no others.
    speaks_for: tuple[UUID, ...]
    kind: str
    # A purpose for consents and objections, the name of a setting for preferences.
    subject: str
    occurred_at: datetime
    document: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["record_id"])

    @property
    def key(self) -> StatementKey:
        family = self.kind.partition(".")[0]
        document = self.document
        return StatementKey(family, self.subject, document["channel"], document["topic"])

    @property
    def strictness(self) -> Strictness:
        return strictness(self.kind, self.subject, self.document["value"])

    @property
    def order(self) -> tuple[datetime, Strictness, str]:
        return self.occurred_at, self.strictness, self.id


# Of one record: the entry that holds, by key.
type NewestEntries = dict[StatementKey, LedgerEntry]


def newest_by_key(entries: Iterable[LedgerEntry], record_id: UUID) -> NewestEntries:
    """Return the entries that hold for one record, by key."""
    own_entries = [entry for entry in entries if record_id in entry.speaks_for]
    newest: NewestEntries = {}
    for entry in sorted(own_entries, key=lambda entry: entry.order):
        before = newest.get(entry.key)
        # An import of a list of addresses cannot lift what a customer said to us.
        is_import = entry.document["source_channel"] == "import"
        if before is None or not is_import or entry.strictness >= before.strictness:
            newest[entry.key] = entry
    return newest


def expired_consents(
    entries: Iterable[LedgerEntry], record_ids: Iterable[UUID], now: datetime
) -> dict[tuple[str, datetime], list[UUID]]:
    """Return which consents expired: by purpose and end, the records that had given them."""
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
    """Return the entry with this key that holds for each of these records that has one."""
    entries = list(entries)
    by_record = [newest_by_key(entries, record_id) for record_id in record_ids]
    return [by_key[key] for by_key in by_record if key in by_key]


def parse_moment(text: str | None) -> datetime | None:
    """Return the moment that a document states in ISO 8601, if any."""
    return datetime.fromisoformat(text) if text else None
