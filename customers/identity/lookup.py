"""Finds the records for an identifier, such as the number of a ringing call or a scanned card."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from customers import db, sql
from customers.identity import normalize
from customers.identity.families import is_number
from customers.types import OPENED

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

    A customer number refers to the customer of this source, or else of its space, or else of every
    space. An order number refers only to the order of this source if it has one. An identifier
    that a till or a desk noted counts only if no other record is known.
    """
    normalized = normalize.normalize(kind, value, region)
    if normalized is None:
        return []
    params = {
        "kind": kind,
        "value": normalized,
        "is_number": is_number(kind),
        "source": source_id,
        "with_noted": False,
        "limit": MATCH_LIMIT,
    }
    matches = _read_matches(params)
    if any(match.is_known for match in matches):
        return matches
    return _read_matches(params | {"with_noted": True})


def find_callers(number: str) -> list[Match]:
    """Return the customers who may be calling: none, one, or many if a family shares the number.

    number: in the form of E.164; empty if the caller withheld it
    """
    # A call from an unknown number makes a record, which contains only its calls.
    return [match for match in find_matches("phone", number) if match.is_known]


def is_proved_holder(number: str, customer_id: UUID) -> bool:
    """Tell whether a customer proved this number, or a source that checks numbers states it."""
    params = {"value": number, "customer_id": customer_id, "opened": OPENED}
    return db.row(sql.load("find_proved_holder"), params) is not None


def find_records_by_value(text: str) -> set[UUID]:
    """Return the live records with this value of any kind; numbers match without their source.

    At most 200 records, and none for a text that no identifier can have.
    """
    if not text.isprintable():
        return set()
    # A number of a source is written as <source id>/<number>, and the number may have slashes.
    source, separator, rest = text.partition("/")
    numbers = {text, rest} if separator and source.isdecimal() else {text}
    rows = [
        row
        for number in numbers
        for row in db.rows(
            sql.load("find_records_by_value"),
            {"value": text.lower() if "@" in text else text, "number": number, "limit": 200},
        )
    ]
    return {customer_id for (customer_id,) in rows}


def _read_matches(params: Mapping[str, object]) -> list[Match]:
    return [Match(*row) for row in db.rows(sql.load("find_matches"), params)]
