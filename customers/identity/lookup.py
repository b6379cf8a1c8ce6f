"""Whose record it may be: what a ringing phone or a scanned card leads to."""

from datetime import date, time
from typing import NamedTuple
from uuid import UUID

from customers import db, sql
from customers.identity import normalize

# More is no choice a person could make while the phone rings.
MANY = 10


class Match(NamedTuple):
    """A live record that has the identifier."""

    id: UUID
    version: int
    name: str | None
    is_verified: bool
    # False: the record holds nothing but what happened with this very identifier.
    is_known: bool


class Visit(NamedTuple):
    """An order, as far as a till is concerned."""

    number: str
    status: str
    visit_date: date | None
    visit_time: time | None


def matches(
    kind: str, value: str, *, region: str | None = None, source_id: int | None = None
) -> list[Match]:
    """Return the records that have this identifier: none, one or many.

    The number of an order means an order of this source, where the source has one.
    """
    spelled = normalize.normalize(kind, value, region)
    if spelled is None:
        return []
    params = {"kind": kind, "value": spelled, "source": source_id, "limit": MANY}
    return [Match(*row) for row in db.rows(sql.load("find_matches"), params)]


def visit(customer_id: UUID, *, today: date, number: str = "") -> Visit | None:
    """Return the order of that number, or without one the next visit's."""
    params = {"id": customer_id, "number": number, "today": today}
    found = db.row(sql.load("read_visits"), params)
    return Visit(*found) if found else None
