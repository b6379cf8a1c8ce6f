"""Makes records again from the log, or proves that they need not be."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import DatabaseError, transaction

from customers import ingest, sql
from customers.consent import ledger
from customers.db import retry
from customers.isolation import FAULTS, describe
from customers.projections import registry
from customers.projections.registry import Skipped

_FAULTS: tuple[type[Exception], ...] = (DatabaseError, *FAULTS)


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


class Rebuilt(NamedTuple):
    """What came of rebuilding some records."""

    differences: list[Difference]
    skipped: list[Skipped]


def rebuild(ids: Sequence[UUID]) -> list[Difference]:
    """Make these records again from the log; return what was not as it should have been."""
    return remake(ids).differences


def check(ids: Sequence[UUID]) -> list[Difference]:
    """Compare these records with what their log amounts to; change nothing."""
    return compare(ids).differences


def remake(ids: Sequence[UUID]) -> Rebuilt:
    """Make these records again; tell what was different, and which events were skipped."""
    return _each_if_need_be(_remake, ids)


def compare(ids: Sequence[UUID]) -> Rebuilt:
    """Tell what `remake` would change and skip, and find broken logs; change nothing."""

    def look(ids: Sequence[UUID]) -> Rebuilt:
        rebuilt = _remake(ids)
        differences = rebuilt.differences + faults(ids)
        transaction.set_rollback(True)
        return Rebuilt(differences, rebuilt.skipped)

    return _each_if_need_be(look, ids)


def _each_if_need_be(work: Callable[[Sequence[UUID]], Rebuilt], ids: Sequence[UUID]) -> Rebuilt:
    """Work on these records in one transaction; by halves where one of them raises a fault."""
    try:
        return retry.on_conflict(lambda: work(ids))
    except _FAULTS as error:
        if not ingest.is_about_a_value(error):
            raise
        if len(ids) == 1:
            return Rebuilt([Difference(ids[0], "record", None, describe(error))], [])
    half = len(ids) // 2
    first, second = _each_if_need_be(work, ids[:half]), _each_if_need_be(work, ids[half:])
    return Rebuilt(first.differences + second.differences, first.skipped + second.skipped)


def _remake(ids: Sequence[UUID]) -> Rebuilt:
    sql.run("lock_records", {"ids": sorted(ids)})
    before = snapshot(ids)
    skipped = registry.rebuild(ids)
    ledger.rebuild_states(ids)
    after = snapshot(ids)
    differences = [
        Difference(key[0], " ".join(key[1:]), before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys(), key=str)
        if before.get(key) != after.get(key)
    ]
    return Rebuilt(differences, skipped)


def snapshot(ids: Sequence[UUID]) -> dict[tuple[UUID, str, str], str]:
    """Return every projected field of these records, as text, by what it is."""
    rows = sql.rows("snapshot_records", {"ids": ids})
    return {(customer_id, table, name): fields for customer_id, table, name, fields in rows}


def faults(ids: Sequence[UUID]) -> list[Difference]:
    """Find logs and chains with gaps or changes, wrong heads, and pointers gone astray."""
    found = [Difference(*row) for row in sql.rows("find_faults", {"ids": ids})]
    broken = ledger.find_broken_links(ids)
    return found + [Difference(id_, f"ledger {seq}", fault, None) for id_, seq, fault in broken]
