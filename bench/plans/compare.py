"""Runs a statement under several plans, and reports rows that differ.

After each run of a statement that changes rows, the changes are compared and rolled back.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from bench.plans import butler_reads, butler_writes, customers_reads, customers_writes

ROOT = Path(__file__).parents[2]
ROWS = (Path(__file__).parent / "rows.sql").read_text()
PARAMETERS: dict[str, Mapping[str, Mapping[str, Any]]] = {
    "butler/sql": butler_reads.PARAMETERS | butler_writes.PARAMETERS,
    "customers/sql": customers_reads.PARAMETERS | customers_writes.PARAMETERS,
    "channels/live/sql": customers_reads.LIVE_PARAMETERS,
}

_JOINS = {
    "hash joins": ("mergejoin", "nestloop"),
    "merge joins": ("hashjoin", "nestloop"),
    "nested loops": ("hashjoin", "mergejoin"),
}
_INDEXES = ("indexscan", "indexonlyscan", "bitmapscan")
# The settings that are off under each plan. The others are compared with the first plan.
PLANS: dict[str, Sequence[str]] = {
    "the planner's choice": (),
    **_JOINS,
    **{f"{name}, sequential scans": (*off, *_INDEXES) for name, off in _JOINS.items()},
}

_WRITTEN = re.compile(
    r"\b(INSERT INTO|UPDATE|DELETE FROM) ((?:butler|customers|channels)_\w+)", re.ASCII
)
_CANCELED = "canceled"
# Columns that sequences and the clock fill differ in each run.
_VOLATILE_RESULTS = {"insert_identifiers": (0,)}
_VOLATILE_COLUMNS = ("lease_until",)
_VOLATILE_IDS = ("butler_decision",)


class Statement(NamedTuple):
    path: Path
    text: str
    params: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def is_ordered(self) -> bool:
        """Tell whether the statement returns its rows in a defined order."""
        text, shorter = self.text, re.sub(r"\([^()]*\)", "", self.text)
        while shorter != text:
            text, shorter = shorter, re.sub(r"\([^()]*\)", "", shorter)
        return "ORDER BY" in text and "INSERT INTO" not in text


class Report(NamedTuple):
    """Errors and differences, one sentence for each, and the plans that took too long."""

    problems: list[str]
    canceled: list[str]


def statements() -> Iterator[Statement]:
    """Yield all statement files of the apps, with their parameters if there are any."""
    from customers.sql import body

    for path in sorted(ROOT.glob("*/**/sql/*.sql")):
        folder = str(path.parent.relative_to(ROOT))
        text = body(path).replace(*customers_reads.WORDS)
        yield Statement(path, text, PARAMETERS.get(folder, {}).get(path.stem))


def fill(connection: "psycopg.Connection[Any]", rows: int) -> None:
    """Insert this number of customers with their rows, and analyze the tables."""
    for command in ROWS.replace(":rows", str(rows)).split(";\n"):
        connection.execute(command.encode())
    analyze(connection)


def analyze(connection: "psycopg.Connection[Any]") -> None:
    """Update the statistics of all tables, from which Postgres makes plans."""
    connection.execute("ANALYZE")


def compare(connection: "psycopg.Connection[Any]", statement: Statement) -> Report:
    """Run a statement under all plans in an open transaction, and roll it back each time.

    The first plan has to succeed, and the others have to return the same rows or the same error.
    A plan that takes longer than statement_timeout is skipped and reported.
    """
    report, expected = Report([], []), None
    marker = _next_transaction(connection)
    for plan, off in PLANS.items():
        outcome = _outcome(connection, statement, off, marker)
        if outcome == _CANCELED:
            report.canceled.append(plan)
        elif expected is None:
            expected = outcome
            if isinstance(outcome, str):
                report.problems.append(f"{statement.name} with {plan}: {outcome}")
        elif outcome != expected:
            first, other = _shortened(expected, outcome)
            report.problems.append(f"{statement.name} with {plan}: {other} and not {first}")
    return report


def _outcome(
    connection: "psycopg.Connection[Any]", statement: Statement, off: Sequence[str], marker: int
) -> str | list[str]:
    """Return the rows that a statement returns and changes, or its error."""
    connection.execute("SAVEPOINT statement")
    try:
        # JIT compilation would take longer than the statements.
        for setting in ("jit", *(f"enable_{name}" for name in off)):
            connection.execute(f"SET LOCAL {setting} = off".encode())
        cursor = psycopg.Cursor(connection)
        cursor.execute(statement.text.encode(), statement.params, prepare=False)
        rows = _texts(statement, cursor.fetchall() if cursor.description else [])
        return rows + list(_changes(connection, statement, marker))
    except psycopg.errors.QueryCanceled:
        return _CANCELED
    except psycopg.Error as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    finally:
        connection.execute("ROLLBACK TO statement")


def _next_transaction(connection: "psycopg.Connection[Any]") -> int:
    """Return a number above the xmin of all rows so far, and at most that of new rows."""
    # A snapshot contains the number after the last ended transaction, so end one first.
    connection.execute("SAVEPOINT marker")
    connection.execute("CREATE TEMPORARY TABLE marker ()")
    connection.execute("ROLLBACK TO marker")
    (number,) = connection.execute(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    ).fetchone() or (0,)
    return int(number)


def _texts(statement: Statement, rows: Sequence[Sequence[Any]]) -> list[str]:
    volatile = _VOLATILE_RESULTS.get(statement.path.stem, ())
    texts = [
        repr([value for place, value in enumerate(row) if place not in volatile]) for row in rows
    ]
    return texts if statement.is_ordered else sorted(texts)


def _changes(
    connection: "psycopg.Connection[Any]", statement: Statement, marker: int
) -> Iterator[str]:
    """Yield the new and changed rows, and a checksum of the unchanged rows."""
    for table in sorted({table for _, table in _WRITTEN.findall(statement.text)}):
        volatile = [*_VOLATILE_COLUMNS, *_computed(table)]
        since = f"xmin::text::bigint >= {marker}"
        changed = f"SELECT (to_jsonb(t) - %s::text[])::text FROM {table} AS t WHERE {since}"
        yield from (
            f"{table} {row}"
            for (row,) in sorted(connection.execute(changed.encode(), [volatile]).fetchall())
        )
        same = f"SELECT count(*), sum(hashtext(ctid::text)::bigint) FROM {table} WHERE NOT {since}"
        yield f"{table} {connection.execute(same.encode()).fetchone()}"


@cache
def _computed(table: str) -> list[str]:
    """Return the columns that a sequence, the clock or a random number fills."""
    from django.apps import apps
    from django.db.models import AutoField
    from django.db.models.fields import NOT_PROVIDED
    from django.db.models.functions import Now

    (model,) = (candidate for candidate in apps.get_models() if candidate._meta.db_table == table)
    return [
        field.attname
        for field in model._meta.concrete_fields
        if isinstance(field, AutoField)
        or (field.primary_key and table in _VOLATILE_IDS)
        or isinstance(getattr(field, "db_default", NOT_PROVIDED), Now)
    ]


def _shortened(expected: str | list[str], actual: str | list[str]) -> tuple[str, str]:
    """Return the first row in which two outcomes differ, or the numbers of rows."""
    if isinstance(expected, str) or isinstance(actual, str):
        return str(expected)[:300], str(actual)[:300]
    for first, second in zip(expected, actual, strict=False):
        if first != second:
            return first[:300], second[:300]
    return f"{len(expected)} rows", f"{len(actual)} rows"
