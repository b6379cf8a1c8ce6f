"""Calls that ring now, and whose they may be."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from customers import db, sql
from customers.identity import lookup
from customers.identity.lookup import Match
from customers.identity.normalize import normalize
from customers.models import Interaction

# A call that nobody ended may only have lost its last event.
RINGS_FOR = timedelta(minutes=2)
SHOWN = 12


class Call(msgspec.Struct, frozen=True):
    reference: str
    status: str
    staff: str
    started_at: datetime
    # As the telephone system gave it; empty where the caller withheld it.
    number: str
    # The record that the call itself is filed under.
    customer_id: UUID


def ringing(*, region: str, now: datetime) -> list[Call]:
    """Return the calls that came in within the last two minutes and are not over."""
    rows = db.rows(sql.load("read_ringing"), {"since": now - RINGS_FOR, "limit": SHOWN})
    return [
        Call(reference, status, staff, at, _spelled(number or "", region), id_)
        for reference, status, staff, at, number, id_ in rows
    ]


def call(reference: str, *, region: str) -> Call | None:
    """Return the newest call of that reference."""
    found = Interaction.objects.filter(reference=reference, kind="call").order_by("-started_at")
    row = found.first()
    if row is None:
        return None
    number = _spelled(str(row.details.get("from") or ""), region)
    return Call(row.reference, row.status, row.staff, row.started_at, number, row.customer_id)


def _spelled(number: str, region: str) -> str:
    """Return a number as everybody reads it; one that is none stays as it came."""
    return normalize("phone", number, region) or number


def callers(one: Call, *, region: str) -> list[Match]:
    """Return who may be calling: nobody, one, or many where a family shares the number."""
    if not one.number:
        return []
    found = lookup.matches("phone", one.number, region=region)
    # The call itself makes a record for a number that nobody had: that is nobody.
    return [match for match in found if match.is_known]
