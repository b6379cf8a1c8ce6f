"""Runs the SQL of an old migration, which knows columns by the names that they had then."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.db import connection, transaction

# The migrations that renamed columns, the newest first.
_RENAMES = ("0018_merges_and_ends_of_links", "0016_evidence")
# How the names of constraints and indexes begin that a later migration dropped.
_DROPPED = ("identifier_is_unique_per_", "link_said_", "link_not_seen_")


@contextmanager
def old_column_names() -> Iterator[None]:
    """Give the columns their names from before all renames, for as long as the block runs.

    In one transaction: the servers that tests share never see the old names.
    """
    renames = [import_module(f"customers.migrations.{name}") for name in _RENAMES]
    with transaction.atomic():
        _execute(*(rename.RENAME_BACK for rename in renames), _triggers("DISABLE"))
        yield
        _execute(*(rename.RENAME for rename in reversed(renames)), _triggers("ENABLE"))


def _triggers(act: str) -> str:
    """Return statements for the triggers that know the columns by their names of today.

    Postgres changes no table that has to check a reference at the end of the transaction.
    """
    tables = "identifier", "link"
    changes = [f"ALTER TABLE customers_{table} {act} TRIGGER USER;" for table in tables]
    return "\n".join(["SET CONSTRAINTS ALL IMMEDIATE;", *changes, "SET CONSTRAINTS ALL DEFERRED;"])


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for line in "\n".join(statements).splitlines():
            if not any(name in line for name in _DROPPED):
                cursor.execute(line)
