"""Files the calls and SMS of a phone on the customer whose number it is.

A call is filed on its number. It is filed on a customer when she proves the number, and when staff open
the customer for it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from customers import sql
from customers.identity import refiling
from customers.identity.families import is_number
from customers.identity.refiling import EventPlace, RefiledPlace
from customers.models import Identifier
from customers.queries.shared_calls import read_shared_calls

PROVED = "The customer proved the number"
CALLER = "A colleague said who called"
SAME_CALL = "Another event of the call"
# The newest events of a phone that a proof moves. Earlier ones stay on the number.
_MAX_EVENTS = 1_000


class NoSharedCall(LookupError):
    """The customer has no phone that is shared and from which this call came."""


def refile_past(phone: Identifier, holder_ids: Sequence[int], *, actor: str, now: datetime) -> None:
    """File the calls and SMS of a phone on the first of its holders, if they alone have it.

    A later holder of the number then does not see them.
    """
    phone.refresh_from_db()
    holders = Identifier.objects.filter(pk__in=holder_ids, customer=phone.customer_id)
    by_rank = sorted(holders, key=lambda holder: (not is_number(holder.kind), holder.pk))
    if phone.is_shared or phone.record_id is None or not by_rank:
        return
    rows = sql.rows("read_phone_events", {"record_id": phone.record_id, "limit": _MAX_EVENTS})
    places = {EventPlace(*row): by_rank[0].pk for row in rows}
    if places:
        refiling.refile(places, reason=PROVED, actor=actor, now=now)


def refile_shared_call(
    customer_id: UUID, reference: str, *, actor: str, now: datetime
) -> list[RefiledPlace]:
    """File a call from a shared phone on one of the customers who have it; return the moved events.

    Raises NoSharedCall.
    """
    calls = read_shared_calls(customer_id)
    call = next((call for call in calls if call.reference == reference), None)
    if call is None:
        raise NoSharedCall
    params = {"record_id": call.record_id, "about": reference}
    places = {EventPlace(*row): call.holder_id for row in sql.rows("read_call_events", params)}
    return refiling.refile(places, reason=CALLER, actor=actor[:100], now=now)


def follow_refiled_call(log: UUID, reference: str, *, now: datetime) -> None:
    """File new events of a call where its earlier events were filed, so that a call stays one."""
    rows = sql.rows("read_call_filings", {"log": log, "about": reference})
    filings = [(at, identifier_id) for _, identifier_id, at in rows if at and identifier_id]
    if not filings:
        return
    _, identifier_id = max(filings)
    places = {EventPlace(log, version): identifier_id for version, _, at in rows if at is None}
    if places:
        refiling.refile(places, reason=SAME_CALL, actor="", now=now)
