"""The statements of the hot path, one a file, each with a header that says what it promises."""

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
    """Return the statement of that name, read once."""
    return body(_FOLDER / f"{name}.sql")


def body(path: Path) -> str:
    """Return a statement without the header and the indentation, which are for readers.

    With them, some are longer than what psycopg caches (4,096 characters).
    """
    lines = (line.lstrip(" ") for line in path.read_text().splitlines(keepends=True))
    return "".join(dropwhile(lambda line: line.startswith("--") or not line.strip(), lines))


def run(name: str, params: Mapping[str, object]) -> "psycopg.Cursor[Any]":
    """Run a statement inside the open transaction; in a pipeline, without waiting for it."""
    return db.execute(load(name), params)


def rows(name: str, params: Mapping[str, object]) -> list[Any]:
    return db.rows(load(name), params)


def json(value: object) -> str:
    """Write rows as one JSON parameter, which costs a tenth of as many array parameters."""
    return _ENCODER.encode(value).decode()
