"""Reads the graph of identifiers and links, and locks the records that they belong to."""

from collections.abc import Sequence, Set
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity.grouping import IdentifierLink, IdentifierNode

# Where a person decides, components have any size.
NO_LIMIT = 2**31 - 2


class GraphRow(NamedTuple):
    """One identifier as it is stored, and where the record it files under points."""

    id: int
    kind: str
    value: str
    evidence: int
    record_id: UUID | None
    customer_id: UUID | None
    is_shared: bool
    canonical_id: UUID | None
    version: int

    @property
    def node(self) -> IdentifierNode:
        return IdentifierNode(self.id, self.kind, self.value, self.evidence)


# The live record that each identifier belongs to.
type Targets = dict[int, UUID | None]


class ComponentTooLarge(Exception):
    """More identifiers hang together than are regrouped for one event.

    `oldest` is the oldest record among them.
    """

    def __init__(self, oldest: UUID | None) -> None:
        super().__init__(oldest)
        self.oldest = oldest


def read_locked(
    ids: Sequence[int], locked: Set[UUID] = frozenset(), limit: int = NO_LIMIT
) -> tuple[list[GraphRow], list[IdentifierLink], set[UUID]]:
    """Read the graph until everything in it is locked, so that it cannot change any more."""
    locked = set(locked)
    while True:
        params = {"ids": ids, "limit": limit + 1}
        rows = [GraphRow(*row) for row in sql.rows("read_graph", params)]
        if len(rows) > limit:
            records = (row.customer_id for row in rows if row.customer_id)
            raise ComponentTooLarge(min(records, default=None))
        if not lock_all(rows, locked):
            break
    links = sql.rows("read_links", {"ids": [row.id for row in rows]})
    return rows, [IdentifierLink(*link) for link in links], locked


def lock_all(rows: Sequence[GraphRow], locked: set[UUID]) -> bool:
    """Lock the records of these identifiers; return whether some were not locked before."""
    records = {
        record
        for row in rows
        for record in (row.record_id, row.customer_id, row.canonical_id)
        if record
    }
    if not records - locked:
        return False
    _lock_without_waiting(records - locked, records | locked)
    locked |= records
    return True


def _lock_without_waiting(missing: Set[UUID], all_records: Set[UUID]) -> None:
    if len(sql.rows("lock_available_records", {"ids": sorted(missing)})) < len(missing):
        raise RetryTransaction("another transaction holds a record", all_records)
