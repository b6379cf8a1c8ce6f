"""Finds the records that an identifier leads to, such as a ringing phone or a scanned card."""

from typing import NamedTuple
from uuid import UUID

from customers import db, sql
from customers.identity import normalize

# More is no choice a person could make while the phone rings.
MATCH_LIMIT = 10


class Match(NamedTuple):
    """A live record that has the identifier."""

    id: UUID
    version: int
    name: str | None
    is_verified: bool
    # False: the record holds nothing but what happened with this very identifier.
    is_known: bool


def find_matches(
    kind: str, value: str, *, region: str | None = None, source_id: int | None = None
) -> list[Match]:
    """Return the records that have this identifier: none, one or many.

    The number of an order means an order of this source, where the source has one.
    """
    normalized = normalize.normalize(kind, value, region)
    if normalized is None:
        return []
    params = {"kind": kind, "value": normalized, "source": source_id, "limit": MATCH_LIMIT}
    return [Match(*row) for row in db.rows(sql.load("find_matches"), params)]
