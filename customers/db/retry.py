"""Repeats a transaction if a concurrent transaction conflicts with it."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import partial, wraps
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

# Whether this thread is inside the work of `on_conflict`.
_is_repeating: ContextVar[bool] = ContextVar("is_repeating", default=False)


class RetryTransaction(OperationalError):
    """Another transaction changed rows that this one has read, or holds a lock that it needs.

    The next attempt first locks `records`.
    """

    def __init__(self, message: str = "", records: Iterable[UUID] = ()) -> None:
        super().__init__(message)
        self.records = frozenset(records)


def on_conflict[T](work: Callable[[], T], *, is_durable: bool = False) -> T:
    """Run `work` in a transaction, repeat it after conflicts, and return its value.

    Inside an open transaction it uses a savepoint. The rollback to the savepoint releases all
    locks taken since then, but not the earlier ones. Work inside other work is therefore repeated
    alone only if it waits for no record: otherwise the outermost work is repeated, and begins with
    the locks. So no transaction waits for a record while others wait for its locks.

    is_durable: the transaction is the outermost one, so that its changes stay after it returns
    Raises django.db.OperationalError if the database is unavailable or all 20 attempts met conflicts.
    """
    is_inside = _is_repeating.get()
    token = _is_repeating.set(True)
    try:
        return _repeat(work, is_inside=is_inside, is_durable=is_durable)
    finally:
        _is_repeating.reset(token)


def repeated_on_conflict[**P, T](action: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that changes the database alone, to run as `on_conflict` runs work."""

    @wraps(action)
    def repeat(*args: P.args, **kwargs: P.kwargs) -> T:
        return on_conflict(partial(action, *args, **kwargs))

    return repeat


def _repeat[T](work: Callable[[], T], *, is_inside: bool, is_durable: bool) -> T:
    records_to_lock: frozenset[UUID] = frozenset()
    for attempts_left in reversed(range(_MAX_ATTEMPTS)):
        try:
            with transaction.atomic(durable=is_durable):
                if records_to_lock:
                    sql.run("lock_records", {"ids": sorted(records_to_lock)})
                return work()
        except DatabaseError as error:
            if isinstance(error, RetryTransaction):
                records_to_lock |= error.records
                if is_inside and records_to_lock:
                    raise
            elif not isinstance(error.__cause__, _CONFLICTS) or (
                is_inside and not isinstance(error.__cause__, psycopg.errors.UniqueViolation)
            ):
                raise
            if not attempts_left:
                raise RetryTransaction("other transactions conflicted in every attempt") from error
    raise AssertionError("unreachable")
