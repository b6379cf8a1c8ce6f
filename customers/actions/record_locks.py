"""Locks the live record of a customer, before a transaction appends events to its log."""

from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.actions.internal_events import NoSuchCustomer
from customers.db.retry import RetryTransaction


class LockedRecord(NamedTuple):
    """A live record, and whether an address of it has refusals of an earlier, erased customer."""

    id: UUID
    has_refusals: bool


def lock_live_record(customer_id: UUID) -> LockedRecord:
    """Lock and return the live record that an id leads to.

    Raises NoSuchCustomer, or RetryTransaction if the record was merged meanwhile.
    """
    rows = sql.rows("lock_live_record", {"id": customer_id})
    if not rows:
        raise NoSuchCustomer
    [(live, was_merged, has_refusals)] = rows
    if was_merged:
        raise RetryTransaction
    return LockedRecord(UUID(str(live)), has_refusals)
