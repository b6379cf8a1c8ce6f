"""Runs all of Butler's SQL statements on Django's connection.

Postgres prepares these statements. Django's own cursors merge the parameters into the text, so that
Postgres would plan each statement again. This module converts all errors of psycopg into errors of
django.db, also at the end of a pipeline or a COPY. So a lost connection is always the same error.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DatabaseError, DataError, InterfaceError, OperationalError, connection

from customers.db.pools import drain

# PoolTimeout is one of psycopg's operational errors.
CONNECTION_ERRORS = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
# SQLSTATE of a write on a server that only reads, such as a primary that became a standby.
_READ_ONLY = "25006"
# SQLSTATE classes of values that Postgres cannot store: data exceptions, program limits.
_VALUE_ERROR_CLASSES = ("22", "54")


def execute(statement: str, params: Mapping[str, Any]) -> "psycopg.Cursor[Any]":
    """Run a statement, in the open transaction if there is one; return its cursor.

    In a pipeline, the function does not wait for the result.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return psycopg.Cursor(_psycopg_connection()).execute(statement, params)


def rows(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement."""
    cursor = execute(statement, params)
    # In a pipeline, the result or the error arrives only now.
    with connection.wrap_database_errors:
        return cursor.fetchall()


def row(statement: str, params: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return the first row of a statement, or None."""
    return next(iter(rows(statement, params)), None)


@contextmanager
def pipeline() -> Iterator[None]:
    """Send the statements of this block without waiting for each result."""
    connection.ensure_connection()
    with connection.wrap_database_errors, _psycopg_connection().pipeline():
        yield


def copy_in(statement: str, text: str) -> None:
    """Write text into a table with COPY … FROM STDIN."""
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
    """Tell whether a value of an event caused the error, so that a retry would fail, too."""
    if not isinstance(error, DatabaseError):
        return True
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return isinstance(error, DataError) or (state or "").startswith(_VALUE_ERROR_CLASSES)


# A lost connection -------------------------------------------------------------------


def is_connection_error(error: BaseException | None) -> bool:
    """Tell whether an error or one of its causes means that Postgres does not answer.

    The function checks the causes, because code that continues after such an error gets other
    errors: a closed transaction, or a session that it cannot save.
    """
    return any(
        isinstance(cause, CONNECTION_ERRORS) or _is_read_only(cause) for cause in _causes(error)
    )


def is_read_only_error(error: BaseException | None) -> bool:
    """Tell whether Postgres refused a write because its server only reads.

    After a failover the address leads to another server, but open connections stay at the old one.
    """
    return any(map(_is_read_only, _causes(error)))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, also those that code met while it handled another error."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        yield error
        visited.add(id(error))
        error = error.__cause__ or error.__context__


def _is_read_only(error: BaseException) -> bool:
    return isinstance(error, psycopg.Error) and error.sqlstate == _READ_ONLY


def leave_read_only_server() -> None:
    """Close this thread's connection, and make the pool replace all of its connections."""
    pool = getattr(connection, "pool", None)
    if not connection.in_atomic_block:
        connection.close()
    if pool is not None:
        drain(pool)


def _is_caused_by_connection(error: BaseException) -> bool:
    """Tell whether the connection failed, and not only a statement, for example by a time limit.

    The function checks the error and not the connection, because Django may have opened another
    connection at the end of the transaction.
    """
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return False
    # None: psycopg itself found the connection closed. 08, 57P: Postgres closed it.
    return cause.sqlstate is None or cause.sqlstate.startswith(("08", "57P"))


def is_connection_lost() -> bool:
    """Tell whether this thread's connection has broken since it was opened."""
    raw = connection.connection
    return connection.errors_occurred and (raw is None or raw.closed)


def forget_lost_connection() -> None:
    """Close a broken connection, so that the next statement opens a new one."""
    if connection.in_atomic_block:
        return
    if connection.connection is not None and connection.connection.closed:
        connection.close()
    if connection.connection is None:
        connection.errors_occurred = False


def retry_if_connection_lost[T](step: Callable[[], T]) -> T:
    """Run a step after a commit; if the connection breaks, run it once more on a new connection.

    The commit has succeeded, so the caller should not get an error. Use this only for steps that
    may run twice: reads, and writes of whole rows by their key. Inside a transaction, the function
    raises the error at once.
    """
    try:
        return step()
    except CONNECTION_ERRORS as error:
        if connection.in_atomic_block or not _is_caused_by_connection(error):
            raise
        forget_lost_connection()
        return step()
