"""Finds the calls that ring now, and who may be calling."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from customers import db, sql
from customers.identity import lookup
from customers.identity.lookup import Match
from customers.identity.normalize import normalize
from customers.models import Interaction

# A call that nobody ended may only have lost its last event.
RINGING_TIMEOUT = timedelta(minutes=2)
CALL_LIMIT = 12


class Call(msgspec.Struct, frozen=True):
    reference: str
    status: str
    staff: str
    started_at: datetime
    # As the telephone system gave it; empty where the caller withheld it.
    number: str
    # The record that the call itself is filed under.
    customer_id: UUID


def find_ringing_calls(*, region: str, now: datetime) -> list[Call]:
    """Return the calls that came in within the last two minutes and are not over."""
    rows = db.rows(
        sql.load("find_ringing_calls"), {"since": now - RINGING_TIMEOUT, "limit": CALL_LIMIT}
    )
    return [
        Call(reference, status, staff, at, _normalized(number or "", region), id_)
        for reference, status, staff, at, number, id_ in rows
    ]


def find_call(reference: str, *, region: str) -> Call | None:
    """Return the newest call of that reference."""
    calls = Interaction.objects.filter(reference=reference, kind="call")
    row = calls.order_by("-started_at").first()
    if row is None:
        return None
    number = _normalized(str(row.details.get("from") or ""), region)
    return Call(row.reference, row.status, row.staff, row.started_at, number, row.customer_id)


def _normalized(number: str, region: str) -> str:
    """Return a number in its one spelling, or as it came where it is none."""
    return normalize("phone", number, region) or number


def find_callers(call: Call, *, region: str) -> list[Match]:
    """Return who may be calling: nobody, one, or many where a family shares the number."""
    if not call.number:
        return []
    matches = lookup.find_matches("phone", call.number, region=region)
    # The call itself makes a record for a number that nobody had: that is nobody.
    return [match for match in matches if match.is_known]
