"""Repeats a transaction if a concurrent transaction conflicts with it."""

from collections.abc import Callable, Iterable
from uuid import UUID

import psycopg.errors
from django.db import DatabaseError, OperationalError, transaction

from customers import sql

# Two transactions that race for a new identifier or the same message need one more attempt;
# many writers of one customer need a few.
_MAX_ATTEMPTS = 20
_CONFLICTS = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


class RetryTransaction(OperationalError):
    """Another transaction changed rows that this one has read, or holds a lock that it needs.

    The next attempt first locks `records`.
    """

    def __init__(self, message: str = "", records: Iterable[UUID] = ()) -> None:
        super().__init__(message)
        self.records = frozenset(records)


def on_conflict[T](work: Callable[[], T]) -> T:
    """Run `work` in a transaction, repeat it after conflicts, and return its value.

    Inside an open transaction it uses a savepoint. The rollback to the savepoint releases all
    locks taken since then. Raises django.db.OperationalError if the database is unavailable or
    all 20 attempts met conflicts.
    """
    records_to_lock: frozenset[UUID] = frozenset()
    for attempts_left in reversed(range(_MAX_ATTEMPTS)):
        try:
            with transaction.atomic():
                if records_to_lock:
                    sql.run("lock_records", {"ids": sorted(records_to_lock)})
                return work()
        except DatabaseError as error:
            if isinstance(error, RetryTransaction):
                records_to_lock |= error.records
            elif not isinstance(error.__cause__, _CONFLICTS):
                raise
            if not attempts_left:
                raise RetryTransaction("other transactions conflicted in every attempt") from error
    raise AssertionError("unreachable")
