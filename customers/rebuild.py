"""Rebuilds records from their logs, or checks that the records match their logs."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import DatabaseError, transaction

from customers import db, sql
from customers.consent import ledger
from customers.db import retry
from customers.fault_isolation import FAULTS, describe_fault
from customers.projections import registry
from customers.projections.registry import SkippedEvent

_FAULTS: tuple[type[Exception], ...] = (DatabaseError, *FAULTS)


class Difference(NamedTuple):
    """One fact in which a live record and its log differ."""

    customer_id: UUID
    what: str
    live: object
    rebuilt: object


def live_ids(*, after: UUID | None = None, batch: int = 500) -> Iterator[list[UUID]]:
    """Yield the sorted ids of all live records in batches. `after` resumes after that record."""
    while True:
        rows = sql.rows("read_record_ids", {"after": after or UUID(int=0), "batch": batch})
        if not rows:
            return
        ids = [id_ for (id_,) in rows]
        yield ids
        after = ids[-1]


class RebuildReport(NamedTuple):
    """The differences between records and their logs, and the events that were skipped."""

    differences: list[Difference]
    skipped: list[SkippedEvent]


def rebuild(ids: Sequence[UUID]) -> list[Difference]:
    """Rebuild these records from their logs; return the differences that this corrected."""
    return rebuild_with_report(ids).differences


def find_differences(ids: Sequence[UUID]) -> list[Difference]:
    """Return the differences between these records and their logs. It changes no rows."""
    return report_differences(ids).differences


def rebuild_with_report(ids: Sequence[UUID]) -> RebuildReport:
    """Rebuild these records; return the corrected differences and the skipped events."""
    return _isolate_faults(_rebuild, ids)


def report_differences(ids: Sequence[UUID]) -> RebuildReport:
    """Return the differences, skipped events and broken logs of these records; change no rows."""

    def compare(ids: Sequence[UUID]) -> RebuildReport:
        """Rebuild the records, add the faults of their logs, and roll back all changes."""
        report = _rebuild(ids)
        differences = report.differences + find_faults(ids)
        transaction.set_rollback(True)
        return RebuildReport(differences, report.skipped)

    return _isolate_faults(compare, ids)


def _isolate_faults(
    work: Callable[[Sequence[UUID]], RebuildReport], ids: Sequence[UUID]
) -> RebuildReport:
    """Work on these records in one transaction; on an error, divide them into halves and repeat."""
    try:
        return retry.on_conflict(lambda: work(ids))
    except _FAULTS as error:
        if not db.is_value_error(error):
            raise
        if len(ids) == 1:
            return RebuildReport([Difference(ids[0], "record", None, describe_fault(error))], [])
    half = len(ids) // 2
    first, second = _isolate_faults(work, ids[:half]), _isolate_faults(work, ids[half:])
    return RebuildReport(first.differences + second.differences, first.skipped + second.skipped)


def _rebuild(ids: Sequence[UUID]) -> RebuildReport:
    sql.run("lock_records", {"ids": sorted(ids)})
    before = _read_projections(ids)
    skipped = registry.rebuild(ids)
    ledger.rebuild_states(ids)
    after = _read_projections(ids)
    differences = [
        Difference(key[0], " ".join(key[1:]), before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys(), key=str)
        if not _are_equal(before.get(key), after.get(key))
    ]
    return RebuildReport(differences, skipped)


def _are_equal(first: str | None, second: str | None) -> bool:
    """Compare two rows as JSON. Equal numbers may be written in two ways, such as 1.5e3 and 1500."""
    if first == second or first is None or second is None:
        return first == second
    return _canonical(msgspec.json.decode(first)) == _canonical(msgspec.json.decode(second))


def _canonical(value: object) -> bytes:
    return msgspec.json.encode(_with_whole_numbers(value), order="sorted")


def _with_whole_numbers(value: object) -> object:
    """Return the JSON value with each whole float as an integer."""
    if isinstance(value, dict):
        return {name: _with_whole_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_projections(ids: Sequence[UUID]) -> dict[tuple[UUID, str, str], str]:
    """Return all projected fields of these records as text, by (customer, table, name)."""
    rows = sql.rows("read_projections", {"ids": ids})
    return {(customer_id, table, name): fields for customer_id, table, name, fields in rows}


def find_faults(ids: Sequence[UUID]) -> list[Difference]:
    """Return faults of logs and chains: gaps, changes, wrong versions and wrong pointers."""
    differences = [Difference(*row) for row in sql.rows("find_faults", {"ids": ids})]
    broken = ledger.find_broken_links(ids)
    return differences + [
        Difference(id_, f"ledger {seq}", fault, None) for id_, seq, fault in broken
    ]
