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


class RingingCaller(msgspec.Struct, frozen=True):
    """The ringing calls from one number, and the customers who may be calling."""

    # The newest call.
    call: Call
    # The number of calls from this number within the last two minutes.
    call_count: int
    customers: list[Match]


def find_ringing_calls(*, region: str, now: datetime) -> list[Call]:
    """Return the calls that started within the last two minutes and are not over."""
    rows = db.rows(
        sql.load("find_ringing_calls"), {"since": now - RINGING_TIMEOUT, "limit": CALL_LIMIT}
    )
    return [
        Call(reference, status, staff, at, _normalized(number or "", region), id_)
        for reference, status, staff, at, number, id_ in rows
    ]


def find_ringing_callers(*, region: str, now: datetime) -> list[RingingCaller]:
    """Return the ringing calls, one entry for each number; a withheld number is an entry each.

    At most CALL_LIMIT entries, with up to two statements each.
    """
    by_number: dict[str, list[Call]] = {}
    for call in find_ringing_calls(region=region, now=now):
        by_number.setdefault(call.number or call.reference, []).append(call)
    return [
        RingingCaller(calls[0], len(calls), find_callers(calls[0])) for calls in by_number.values()
    ]


def find_call(reference: str, *, region: str) -> Call | None:
    """Return the newest call with this reference, or None."""
    calls = Interaction.objects.filter(reference=reference, kind="call")
    row = calls.order_by("-started_at").first()
    if row is None:
        return None
    text = str(row.details.get("number") or row.details.get("from") or "")
    number = _normalized(text, region)
    return Call(row.reference, row.status, row.staff, row.started_at, number, row.customer_id)


def _normalized(number: str, region: str) -> str:
    """Return the normalized number, or the unchanged text if it is not a phone number."""
    return normalize("phone", number, region) or number


def find_callers(call: Call) -> list[Match]:
    """Return the customers who may be calling: none, one, or several if a family shares a number."""
    return lookup.find_callers(call.number) if call.number else []
