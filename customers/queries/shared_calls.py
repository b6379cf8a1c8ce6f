"""The calls from phones that several customers have, such as the landline of a family."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers import sql

# Staff see the calls of a phone on the page of each holder, if it has at most this many.
MAX_HOLDERS = 10
_LIMIT = 10


class SharedCall(NamedTuple):
    """A call from a shared phone, and the identifier of a customer that it may be filed on."""

    reference: str
    status: str
    staff: str
    started_at: datetime
    number: str
    # The record of the phone, on which the call is filed.
    record_id: UUID
    # The account or mailbox of the customer that has the phone.
    holder_id: int
    # The number of customers who have the phone.
    holders: int


def read_shared_calls(live_id: UUID) -> list[SharedCall]:
    """Return the newest calls from shared phones of a customer, which may be those of another one."""
    params = {"live_id": live_id, "max_holders": MAX_HOLDERS, "limit": _LIMIT}
    return [SharedCall(*row) for row in sql.rows("read_shared_calls", params)]
