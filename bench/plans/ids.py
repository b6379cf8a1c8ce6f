"""Computes the ids and timestamps of the numbered rows in rows.sql."""

from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

NOW = datetime(2026, 11, 21, 12, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TODAY = NOW.date()
NOBODY = UUID(int=0)


def uuid(kind: str, number: int) -> UUID:
    """Return the id of a row, the same that the statements in rows.sql compute."""
    return UUID(bytes=md5(f"{kind}:{number}".encode(), usedforsecurity=False).digest())


def uuids(kind: str, count: int = 20) -> list[UUID]:
    """Return the ids of the rows 1 to `count`."""
    return [uuid(kind, number) for number in range(1, count + 1)]


def live(count: int = 20) -> list[UUID]:
    """Return ids of live customers: each tenth record is merged into the previous one."""
    return [uuid("customer", number) for number in range(1, count + 1) if number % 10]


def serial(number: int) -> int:
    """Return the key of a row in a table with numbers as keys."""
    return 10_000_000_000 + number


def serials(count: int = 20, first: int = 1) -> list[int]:
    """Return consecutive ids."""
    return [serial(number) for number in range(first, first + count)]


def json(rows: object) -> str:
    """Return the rows as JSON text."""
    from customers import sql

    return sql.json(rows)


type Params = dict[str, Any]
