"""Runs every SQL statement of ours, on Django's connection.

Django's own cursors merge parameters into the text, which Postgres then plans anew each time;
these statements are prepared. Whatever psycopg raises, also at the end of a pipeline or of a
COPY, becomes an error of django.db, so that a lost connection is the same error everywhere.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DatabaseError, DataError, InterfaceError, OperationalError, connection

# PoolTimeout is one of psycopg's operational errors.
CONNECTION_ERRORS = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
# SQLSTATE classes of a value that does not fit: data exceptions, program limits.
_VALUE_ERROR_CLASSES = ("22", "54")


def execute(statement: str, params: Mapping[str, Any]) -> "psycopg.Cursor[Any]":
    """Run a statement in the open transaction, if any; in a pipeline, without waiting for it."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return psycopg.Cursor(_psycopg_connection()).execute(statement, params)


def rows(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement."""
    cursor = execute(statement, params)
    # In a pipeline the answer comes only now, and with it what went wrong.
    with connection.wrap_database_errors:
        return cursor.fetchall()


def row(statement: str, params: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return the first row, or None."""
    return next(iter(rows(statement, params)), None)


@contextmanager
def pipeline() -> Iterator[None]:
    """Send the statements of this block without waiting for the answer to each."""
    connection.ensure_connection()
    with connection.wrap_database_errors, _psycopg_connection().pipeline():
        yield


def copy_in(statement: str, text: str) -> None:
    """Write text into a table by COPY … FROM STDIN."""
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(_psycopg_connection()) as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.write(text)


def _psycopg_connection() -> "psycopg.Connection[Any]":
    raw = connection.connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def is_value_error(error: Exception) -> bool:
    """Tell whether a value that came with an event is the cause: trying again is vain."""
    if not isinstance(error, DatabaseError):
        return True
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return isinstance(error, DataError) or (state or "").startswith(_VALUE_ERROR_CLASSES)


# A lost connection -------------------------------------------------------------------


def is_connection_error(error: BaseException | None) -> bool:
    """Return whether an error, or one of its causes, means that Postgres does not answer.

    Code that goes on after such an error meets another one: a closed transaction, a session
    that cannot be saved.
    """
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        if isinstance(error, CONNECTION_ERRORS):
            return True
        visited.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _is_caused_by_connection(error: BaseException) -> bool:
    """Return whether the connection failed, and not a statement, such as by its time limit.

    Django may have opened another connection since: its transactions do as they end.
    """
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return False
    # None: psycopg itself found the connection closed. 08, 57P: Postgres closed it.
    return cause.sqlstate is None or cause.sqlstate.startswith(("08", "57P"))


def is_connection_lost() -> bool:
    """Return whether this thread's connection broke since it was opened."""
    raw = connection.connection
    return connection.errors_occurred and (raw is None or raw.closed)


def forget_lost_connection() -> None:
    """Close a broken connection, so that the next statement opens another one."""
    if connection.in_atomic_block:
        return
    if connection.connection is not None and connection.connection.closed:
        connection.close()
    if connection.connection is None:
        connection.errors_occurred = False


def retry_if_connection_lost[T](step: Callable[[], T]) -> T:
    """Run what follows a commit; where the connection breaks meanwhile, run it once more on another.

    What was committed stays, so the answer should say so, and not that nobody knows. Only for
    what does no harm when it happens twice: reads, and rows that are written whole by their key.
    Inside a transaction it raises at once.
    """
    try:
        return step()
    except CONNECTION_ERRORS as error:
        if connection.in_atomic_block or not _is_caused_by_connection(error):
            raise
        forget_lost_connection()
        return step()
