"""Runs a transaction again where another one was in its way."""

from collections.abc import Callable, Iterable
from uuid import UUID

import psycopg.errors
from django.db import DatabaseError, OperationalError, transaction

from customers import sql

# Two that race for a new identifier or the same message settle in one round more; a crowd
# around one customer takes a few.
_TRIES = 20
_RACES = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


class LookAgain(OperationalError):
    """Somebody else changed what we had read, or holds it: start the transaction over.

    `records` are those to lock first of all the next time.
    """

    def __init__(self, message: str = "", records: Iterable[UUID] = ()) -> None:
        super().__init__(message)
        self.records = frozenset(records)


def settle[T](once: Callable[[], T]) -> T:
    """Run this in a transaction, again while others are in its way, and return what it returns.

    Inside an open transaction a savepoint goes back far enough: it lets go of every lock that
    was taken since. Raises django.db.OperationalError where the database is away, or so
    crowded that trying later is better.
    """
    first: frozenset[UUID] = frozenset()
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                if first:
                    sql.run("lock_records", {"ids": sorted(first)})
                return once()
        except DatabaseError as error:
            if isinstance(error, LookAgain):
                first |= error.records
            elif not isinstance(error.__cause__, _RACES):
                raise
            if not tries_left:
                raise LookAgain("others were faster, again and again") from error
    raise AssertionError("unreachable")
