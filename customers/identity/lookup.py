"""Finds the records for an identifier, such as the number of a ringing call or a scanned card."""

from typing import NamedTuple
from uuid import UUID

from customers import db, sql
from customers.identity import normalize

# Staff cannot choose from more records while the phone rings.
MATCH_LIMIT = 10


class Match(NamedTuple):
    """A live record that has the identifier."""

    id: UUID
    version: int
    name: str | None
    is_verified: bool
    # False: the record contains only events with this identifier.
    is_known: bool


def find_matches(
    kind: str, value: str, *, region: str | None = None, source_id: int | None = None
) -> list[Match]:
    """Return the records that have this identifier: none, one or many.

    If this source has an order with the number, an order number means only that order.
    """
    normalized = normalize.normalize(kind, value, region)
    if normalized is None:
        return []
    params = {"kind": kind, "value": normalized, "source": source_id, "limit": MATCH_LIMIT}
    return [Match(*row) for row in db.rows(sql.load("find_matches"), params)]
