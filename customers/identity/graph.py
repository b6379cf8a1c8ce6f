"""Reads the graph of identifiers and links, and locks the records of the identifiers."""

from collections.abc import Sequence, Set
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity.grouping import IdentifierLink, IdentifierNode

# No limit on the size of a component, for decisions of staff.
NO_LIMIT = 2**31 - 2


class GraphRow(NamedTuple):
    """One stored identifier, with the canonical record of the record it files under."""

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
    """More identifiers are linked together than Butler regroups for one event.

    `oldest` is the oldest record in the component.
    """

    def __init__(self, oldest: UUID | None) -> None:
        super().__init__(oldest)
        self.oldest = oldest


def read_locked(
    ids: Sequence[int], locked: Set[UUID] = frozenset(), limit: int = NO_LIMIT
) -> tuple[list[GraphRow], list[IdentifierLink], set[UUID]]:
    """Read and lock the component of these identifiers; return rows, links and locked records.

    The function reads the graph again until all its records are locked, so that the returned
    graph cannot change. Raises ComponentTooLarge if it has more than `limit` identifiers.
    """
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
    """Lock the records of these identifiers; return whether this locked any new records."""
    records = {
        record
        for row in rows
        for record in (row.record_id, row.customer_id, row.canonical_id)
        if record
    }
    return lock_missing(records, locked)


def lock_missing(records: Set[UUID], locked: set[UUID]) -> bool:
    """Lock these records and add them to `locked`; return whether any of them is new there.

    The function does not wait for a lock. Raises RetryTransaction if another transaction holds one.
    """
    if not records - locked:
        return False
    _lock_without_waiting(records - locked, records | locked)
    locked |= records
    return True


def _lock_without_waiting(missing: Set[UUID], all_records: Set[UUID]) -> None:
    if len(sql.rows("lock_available_records", {"ids": sorted(missing)})) < len(missing):
        raise RetryTransaction("another transaction holds a record", all_records)
