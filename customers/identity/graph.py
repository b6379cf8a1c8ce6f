"""Reads the graph of identifiers and links, and locks the records of the identifiers."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity.link_storage import is_own_proof
from customers.identity.links import IdentifierLink, IdentifierNode, ManualDecision
from customers.types import DESK_CHANNELS

# No limit on the size of a component, for decisions of staff.
NO_LIMIT = 2**31 - 2

# Channels of sources that own no space, as a parameter of statements.
DESKS = sorted(DESK_CHANNELS)


class GraphRow(NamedTuple):
    """One stored identifier with its own record, and the canonical record of that one."""

    id: int
    kind: str
    value: str
    evidence: int
    space_id: int
    has_named_space: bool
    has_several_ids: bool
    is_noted: bool
    is_placeholder: bool
    erasure_id: int
    is_shared: bool
    record_id: UUID | None
    customer_id: UUID | None
    canonical_id: UUID | None
    version: int

    @property
    def node(self) -> IdentifierNode:
        """The identifier of the row, as the grouping takes it."""
        return IdentifierNode(
            self.id,
            self.kind,
            self.value,
            self.space_id,
            self.has_named_space,
            self.has_several_ids,
            self.is_noted,
            self.is_placeholder,
            self.erasure_id,
        )


class StoredLink(NamedTuple):
    """One stored link, with its state before this regrouping."""

    id: int
    first: int
    second: int
    evidence: int
    kind: str
    occurred_at: datetime
    arrival: int
    source_id: int
    state: str
    last_proved_at: datetime

    def link(self, *, is_current: bool) -> IdentifierLink:
        """Return the link as the grouping reads it."""
        return IdentifierLink(
            self.first,
            self.second,
            self.evidence,
            self.kind,
            self.occurred_at,
            self.arrival,
            self.source_id,
            is_current=is_current,
            own_proof_at=self._own_proof_at,
        )

    @property
    def _own_proof_at(self) -> datetime | None:
        return self.last_proved_at if is_own_proof(self.source_id, self.evidence) else None


# The live record that each identifier belongs to.
type Targets = dict[int, UUID | None]


class ComponentTooLarge(Exception):
    """More identifiers are joined than Butler regroups for one event.

    `oldest` is the oldest record in the component.
    """

    def __init__(self, oldest: UUID | None) -> None:
        super().__init__(oldest)
        self.oldest = oldest


class Component(NamedTuple):
    """Identifiers with the links and decisions among them. Their records are locked."""

    rows: Sequence[GraphRow]
    links: Sequence[StoredLink]
    decisions: Sequence[ManualDecision]
    locked: Set[UUID]


def read_locked(
    ids: Collection[int], locked: Set[UUID] = frozenset(), limit: int = NO_LIMIT
) -> Component:
    """Read and lock the components of these identifiers.

    The function reads the graph again until all its records are locked, so that the returned
    graph cannot change. Raises ComponentTooLarge if it has more than `limit` identifiers.
    """
    locked = set(locked)
    while True:
        params = {"ids": sorted(ids), "limit": limit + 1, "desk_channels": DESKS}
        rows = [GraphRow(*row) for row in sql.rows("read_graph", params)]
        if len(rows) > limit:
            records = (row.customer_id for row in rows if row.customer_id)
            raise ComponentTooLarge(min(records, default=None))
        if not lock_all(rows, locked):
            break
    row_ids = [row.id for row in rows]
    links = [StoredLink(*link) for link in sql.rows("read_links", {"ids": row_ids})]
    return Component(rows, links, read_decisions(row_ids), locked)


def read_decisions(ids: Sequence[int]) -> list[ManualDecision]:
    """Return the decisions of people about these identifiers that nobody has undone."""
    return [ManualDecision(*row) for row in sql.rows("read_decisions", {"ids": ids})]


def lock_all(rows: Iterable[GraphRow], locked: set[UUID]) -> bool:
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

    The function does not wait for a lock, because other records are locked already. Raises
    RetryTransaction if another transaction holds one.
    """
    missing = records - locked
    if not missing:
        return False
    if len(sql.rows("lock_available_records", {"ids": sorted(missing)})) < len(missing):
        raise RetryTransaction("another transaction holds a record", missing | locked)
    locked |= missing
    return True


def choose_targets(rows: Mapping[int, GraphRow], groups: Iterable[Set[int]]) -> Targets:
    """Choose the live record of each group: the oldest record of its strongest kind of identifier.

    returns: the live record of each identifier; None if no member of the group has a record
    """
    targets: Targets = {}
    for members in groups:
        filed = [rows[member] for member in members if rows[member].record_id]
        best = min(filed, key=lambda row: (row.node.rank, row.record_id), default=None)
        for member in members:
            targets[member] = best.record_id if best else None
    return targets
