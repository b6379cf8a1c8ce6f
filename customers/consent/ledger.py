"""Reads the ledgers of customers, and stores the consent states that follow from them.

The stored state is a projection: a merge, an undone merge and `rebuild` compute it again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from customers import sql
from customers.consent import hash_chain
from customers.consent.filter import consent_filter
from customers.consent.folding import fold
from customers.consent.ledger_entries import LedgerEntry
from customers.consent.state import State


class Ledger(msgspec.Struct, frozen=True):
    """All entries that speak for one customer, and the records that now belong to the customer."""

    record_ids: tuple[UUID, ...]
    entries: tuple[LedgerEntry, ...]

    def state(self) -> State:
        """Return the consent state of the customer. Each call folds all entries again."""
        return fold(self.entries, self.record_ids)


def read_ledgers(ids: Sequence[UUID]) -> dict[UUID, Ledger]:
    """Return the ledgers of these live records, by record id. A merged record has no ledger."""
    record_ids: dict[UUID, list[UUID]] = {}
    for live, record in sql.rows("read_records_of_customers", {"ids": ids}):
        record_ids.setdefault(live, []).append(record)
    entries: dict[UUID, list[LedgerEntry]] = {live: [] for live in record_ids}
    for live, *row in sql.rows("read_ledger_entries", {"ids": ids}):
        entries[live].append(_entry(*row))
    return {live: Ledger(tuple(record_ids[live]), tuple(entries[live])) for live in record_ids}


def _entry(
    record: UUID, seq: int, speaks_for: Sequence[UUID], kind: str, subject: str, *rest: Any
) -> LedgerEntry:
    occurred_at, document = rest
    return LedgerEntry(
        record, seq, tuple(speaks_for), kind, subject, occurred_at, msgspec.json.decode(document)
    )


def rebuild_states(ids: Iterable[UUID]) -> None:
    """Compute and store the consent states of these records. The caller holds their locks."""
    live_ids = sorted(ids)
    ledgers = read_ledgers(live_ids)
    store_states({live: ledger for live, ledger in ledgers.items() if ledger.entries})
    without_entries = [
        live_id for live_id in live_ids if live_id not in ledgers or not ledgers[live_id].entries
    ]
    if without_entries:
        sql.run("delete_consent_states", {"ids": without_entries})


def store_states(ledgers: dict[UUID, Ledger]) -> None:
    """Store the consent state of each of these ledgers."""
    if ledgers:
        rows = [_row(live, ledger) for live, ledger in ledgers.items()]
        sql.run("upsert_consent_states", {"rows": sql.json(rows)})


def _row(live: UUID, ledger: Ledger) -> dict[str, object]:
    state = ledger.state()
    return {
        "customer_id": live,
        "entries": len(ledger.entries),
        "state": state,
        **consent_filter(state)._asdict(),
    }


def find_broken_links(ids: Sequence[UUID]) -> list[tuple[UUID, int, str]]:
    """Find entries on the chains of these records that were changed, removed or moved.

    returns: for each fault the record, the number of the entry, and the description of the fault
    """
    faults = []
    previous_links: dict[UUID, tuple[int, bytes]] = {}
    for record, seq, *columns, text, previous, digest in sql.rows("read_chains", {"ids": ids}):
        number, previous_digest = previous_links.get(record, (0, hash_chain.GENESIS_DIGEST))
        if seq != number + 1 or previous_digest != previous:
            faults.append((record, seq, "does not follow the entry before it"))
        if hash_chain.chain_digest(previous, text.encode()) != digest:
            faults.append((record, seq, "the digest does not match the document"))
        if _document_columns(msgspec.json.decode(text)) != (record, seq, *columns):
            faults.append((record, seq, "the columns do not match the document"))
        previous_links[record] = seq, digest
    return faults


def _document_columns(document: dict[str, Any]) -> tuple[object, ...]:
    return (
        UUID(document["subject_id"]),
        document["seq"],
        UUID(document["record_id"]),
        document["kind"],
        document["subject"],
        [UUID(record) for record in document["speaks_for"]],
        datetime.fromisoformat(document["event_time"]),
    )
