"""The SQL statements of the hot path, one in each file, with a header that describes it."""

from collections.abc import Mapping
from functools import cache
from itertools import dropwhile
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from customers import db

_FOLDER = Path(__file__).parent
_ENCODER = msgspec.json.Encoder(decimal_format="string")


@cache
def load(name: str) -> str:
    """Return the statement with this name. The file is read once."""
    return body(_FOLDER / f"{name}.sql")


def body(path: Path) -> str:
    """Return a statement without its header and indentation.

    With them, some statements are longer than the limit of psycopg's cache (4,096 characters).
    """
    lines = (line.lstrip(" ") for line in path.read_text().splitlines(keepends=True))
    return "".join(dropwhile(lambda line: line.startswith("--") or not line.strip(), lines))


def run(name: str, params: Mapping[str, object]) -> "psycopg.Cursor[Any]":
    """Run a statement inside the open transaction; return its cursor.

    In a pipeline, the function does not wait for the result.
    """
    return db.execute(load(name), params)


def rows(name: str, params: Mapping[str, object]) -> list[Any]:
    """Return all rows of a statement."""
    return db.rows(load(name), params)


def json(value: object) -> str:
    """Return rows as one JSON parameter, which takes a tenth of the time of array parameters."""
    return _ENCODER.encode(value).decode()
