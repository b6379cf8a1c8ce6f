"""The SQL statements of butler, one per file. The header of a file describes its contract."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from customers import db
from customers.sql import body

_FOLDER = Path(__file__).parent


@cache
def load(name: str) -> str:
    """Return the statement with this name; the file is read once."""
    return body(_FOLDER / f"{name}.sql")


def run(name: str, params: Mapping[str, object]) -> "psycopg.Cursor[Any]":
    """Run a statement inside the open transaction."""
    return db.execute(load(name), params)


def rows(name: str, params: Mapping[str, object]) -> list[Any]:
    return db.rows(load(name), params)
