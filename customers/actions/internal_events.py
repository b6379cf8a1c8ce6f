"""Appends internal events to logs, such as a finished task or a message marked as read."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce
from uuid_utils.compat import uuid7

from customers import sql
from customers.events import log
from customers.events.arrival import arrival_number
from customers.models import Customer
from customers.types import BUTLER_SOURCE_ID, VERIFIED


class NoSuchCustomer(Exception):
    """No record has this id."""


@transaction.atomic
def append_internal_event(
    *,
    customer_id: UUID,
    name: str,
    about: str,
    properties: Mapping[str, object],
    actor: str,
    now: datetime,
    kind: str = "task",
) -> int:
    """Append an internal event to the log of the live record; return its version.

    The event needs no verified identifier, because it does not change the identity of the customer.
    Raises NoSuchCustomer.
    """
    live = _lock_live_record(customer_id)
    [(_, version)] = sql.rows("read_customer_versions", {"ids": [live]})
    event = log.InternalEvent(live, kind, name, properties, now, about)
    entry = log.internal_log_entry(
        event, version + 1, actor[:100], f"note-{uuid7()}", arrival_number(now, 0)
    )
    log.append([entry], source_id=BUTLER_SOURCE_ID, evidence=VERIFIED, received_at=now)
    return version + 1


def _lock_live_record(customer_id: UUID) -> UUID:
    """Lock and return the live record that an id leads to, even while it is being merged."""
    while True:
        where = Coalesce("canonical_id", "id")
        live = Customer.objects.filter(pk=customer_id).values_list(where, flat=True).first()
        if live is None:
            raise NoSuchCustomer
        sql.rows("lock_records", {"ids": [live]})
        if Customer.objects.filter(pk=live, canonical=None).exists():
            return live
        customer_id = live
