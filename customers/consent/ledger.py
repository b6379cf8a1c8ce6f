"""How the ledger stands: folds it for whole customers, and keeps what comes of it.

What is kept can be thrown away and made again; a merge, a parting and `rebuild` do.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from customers import sql
from customers.consent import hash_chain
from customers.consent.state import Entry, State, filter_of, fold


class Ledger(msgspec.Struct, frozen=True):
    """All that speaks for one customer, and the records that are this customer today."""

    members: tuple[UUID, ...]
    entries: tuple[Entry, ...]

    def state(self) -> State:
        return fold(self.entries, self.members)


def read(ids: Sequence[UUID]) -> dict[UUID, Ledger]:
    """Read the ledgers of these live records; one that was joined into another has none."""
    members: dict[UUID, list[UUID]] = {}
    for live, record in sql.rows("read_members", {"ids": ids}):
        members.setdefault(live, []).append(record)
    entries: dict[UUID, list[Entry]] = {live: [] for live in members}
    for live, *row in sql.rows("read_entries", {"ids": ids}):
        entries[live].append(_entry(*row))
    return {live: Ledger(tuple(members[live]), tuple(entries[live])) for live in members}


def _entry(
    record: UUID, seq: int, speaks_for: Sequence[UUID], kind: str, subject: str, *rest: Any
) -> Entry:
    occurred_at, document = rest
    return Entry(
        record, seq, tuple(speaks_for), kind, subject, occurred_at, msgspec.json.decode(document)
    )


def refold(ids: Iterable[UUID]) -> None:
    """Make the projection of these records anew; the caller holds the locks."""
    wanted = sorted(ids)
    ledgers = read(wanted)
    keep({live: ledger for live, ledger in ledgers.items() if ledger.entries})
    gone = [id_ for id_ in wanted if id_ not in ledgers or not ledgers[id_].entries]
    if gone:
        sql.run("drop_control", {"ids": gone})


def keep(ledgers: dict[UUID, Ledger]) -> None:
    """Keep what these ledgers come to."""
    if ledgers:
        rows = [_row(live, ledger) for live, ledger in ledgers.items()]
        sql.run("keep_control", {"rows": sql.json(rows)})


def _row(live: UUID, ledger: Ledger) -> dict[str, object]:
    state = ledger.state()
    return {
        "customer_id": live,
        "entries": len(ledger.entries),
        "state": state,
        **filter_of(state)._asdict(),
    }


def broken_links(ids: Sequence[UUID]) -> list[tuple[UUID, int, str]]:
    """Find entries on the chains of these records that are not as they were written.

    returns: the record, the number of the entry, and what is wrong with it
    """
    faults = []
    last: dict[UUID, tuple[int, bytes]] = {}
    for record, seq, *columns, text, previous, digest in sql.rows("read_chains", {"ids": ids}):
        number, before = last.get(record, (0, hash_chain.START))
        if seq != number + 1 or before != previous:
            faults.append((record, seq, "does not follow the entry before it"))
        if hash_chain.link(previous, text.encode()) != digest:
            faults.append((record, seq, "the digest is not that of the document"))
        if _said(msgspec.json.decode(text)) != (record, seq, *columns):
            faults.append((record, seq, "the columns are not those of the document"))
        last[record] = seq, digest
    return faults


def _said(document: dict[str, Any]) -> tuple[object, ...]:
    return (
        UUID(document["subject_id"]),
        document["seq"],
        UUID(document["record_id"]),
        document["kind"],
        document["subject"],
        [UUID(record) for record in document["speaks_for"]],
        datetime.fromisoformat(document["event_time"]),
    )
