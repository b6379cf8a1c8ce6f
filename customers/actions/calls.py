"""Files calls and SMS of a phone on the customer whose they are.

A call is filed on its number. It is filed on a customer when she proves the number, and when staff open
the customer for it.
"""

from collections.abc import Sequence
from datetime import datetime

from customers import sql
from customers.identity import refiling
from customers.identity.families import is_number
from customers.identity.refiling import EventPlace
from customers.models import Identifier

PROVED = "The customer proved the number"
# The newest events of a phone that a proof moves. Earlier ones stay on the number.
_MAX_EVENTS = 1_000


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
