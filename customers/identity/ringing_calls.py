"""Finds the calls that ring now, and the customers who may be calling."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from customers import db, sql
from customers.identity import lookup
from customers.identity.lookup import Match
from customers.identity.normalize import normalize
from customers.models import Interaction

# A call without an end event counts as ringing for this time. Its end event may be lost.
RINGING_TIMEOUT = timedelta(minutes=2)
CALL_LIMIT = 12


class Call(msgspec.Struct, frozen=True):
    reference: str
    status: str
    staff: str
    started_at: datetime
    # The caller's number, normalized if possible; empty if the caller withheld it.
    number: str
    # The record on whose log the call is.
    customer_id: UUID


def find_ringing_calls(*, region: str, now: datetime) -> list[Call]:
    """Return the calls that started within the last two minutes and are not over."""
    rows = db.rows(
        sql.load("find_ringing_calls"), {"since": now - RINGING_TIMEOUT, "limit": CALL_LIMIT}
    )
    return [
        Call(reference, status, staff, at, _normalized(number or "", region), id_)
        for reference, status, staff, at, number, id_ in rows
    ]


def find_call(reference: str, *, region: str) -> Call | None:
    """Return the newest call with this reference, or None."""
    calls = Interaction.objects.filter(reference=reference, kind="call")
    row = calls.order_by("-started_at").first()
    if row is None:
        return None
    number = _normalized(str(row.details.get("from") or ""), region)
    return Call(row.reference, row.status, row.staff, row.started_at, number, row.customer_id)


def _normalized(number: str, region: str) -> str:
    """Return the normalized number, or the unchanged text if it is not a phone number."""
    return normalize("phone", number, region) or number


def find_callers(call: Call, *, region: str) -> list[Match]:
    """Return the records of possible callers: several if, for example, a family shares a number."""
    if not call.number:
        return []
    matches = lookup.find_matches("phone", call.number, region=region)
    # A call from an unknown number creates a record, which contains only this call.
    return [match for match in matches if match.is_known]
