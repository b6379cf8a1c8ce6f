"""The mailboxes that become addresses of customers, once their changes have waited."""

from collections.abc import Collection
from uuid import UUID

from customers import sql


def read_pending_mailboxes(customer_ids: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """Return the mailboxes by the live record; a record without a change is left out."""
    rows = sql.rows("read_pending_mailboxes", {"ids": sorted(customer_ids)})
    return {customer_id: tuple(mailboxes) for customer_id, mailboxes in rows}
