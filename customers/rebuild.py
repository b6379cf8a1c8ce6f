"""Makes records again from the log, or proves that they need not be."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from customers import projection, races, sql, standing


class Difference(NamedTuple):
    """One thing in which a live record and its log disagree."""

    customer_id: UUID
    what: str
    live: object
    rebuilt: object


def live_ids(*, after: UUID | None = None, batch: int = 500) -> Iterator[list[UUID]]:
    """Walk through all live records in the order of their ids, so that it can be resumed."""
    while True:
        rows = sql.rows("next_records", {"after": after or UUID(int=0), "batch": batch})
        if not rows:
            return
        ids = [id_ for (id_,) in rows]
        yield ids
        after = ids[-1]


def rebuild(ids: Sequence[UUID]) -> list[Difference]:
    """Make these records again from the log; return what was not as it should have been."""
    return races.settle(lambda: _remake(ids))


def check(ids: Sequence[UUID]) -> list[Difference]:
    """Compare these records with what their log amounts to; change nothing."""

    def compare() -> list[Difference]:
        differences = _remake(ids) + faults(ids)
        transaction.set_rollback(True)
        return differences

    return races.settle(compare)


def _remake(ids: Sequence[UUID]) -> list[Difference]:
    sql.run("lock_records", {"ids": sorted(ids)})
    before = snapshot(ids)
    projection.rebuild(ids)
    after = snapshot(ids)
    return [
        Difference(key[0], " ".join(key[1:]), before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys(), key=str)
        if before.get(key) != after.get(key)
    ]


def snapshot(ids: Sequence[UUID]) -> dict[tuple[UUID, str, str], str]:
    """Return every projected field of these records, as text, by what it is."""
    rows = sql.rows("snapshot_records", {"ids": ids})
    return {(customer_id, table, name): fields for customer_id, table, name, fields in rows}


def faults(ids: Sequence[UUID]) -> list[Difference]:
    """Find logs and chains with gaps or changes, wrong heads, and pointers gone astray."""
    found = [Difference(*row) for row in sql.rows("find_faults", {"ids": ids})]
    broken = standing.broken_links(ids)
    return found + [Difference(id_, f"ledger {seq}", fault, None) for id_, seq, fault in broken]
