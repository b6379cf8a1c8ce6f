"""Runs one reading statement, prepared: the planner's work is done once a connection."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection


def rows(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement, on Django's connection and in its transaction."""
    connection.ensure_connection()
    # Django's own cursors merge parameters into the text, which Postgres then plans anew
    # each time; for a record of eight parts that costs more than reading it.
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
    ):
        return cursor.execute(statement, params).fetchall()


def row(statement: str, params: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return the first row, or None."""
    found = rows(statement, params)
    return found[0] if found else None
