"""Appends notes to logs: what staff did for a customer, or the customer with a message."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models.functions import Coalesce
from uuid_utils.compat import uuid7

from customers import sql
from customers.events import log
from customers.models import Customer
from customers.types import VERIFIED, LogEntry


class NoSuchCustomer(Exception):
    pass


@transaction.atomic
def add_note(
    *,
    customer_id: UUID,
    name: str,
    about: str,
    properties: Mapping[str, object],
    actor: str,
    now: datetime,
    kind: str = "task",
) -> int:
    """Append a note to the log of the live record; return the version.

    It needs no verified identifier, because it is about what we did and not about who they are.
    """
    live = _lock_live_record(customer_id)
    [(_, head)] = sql.rows("read_customer_versions", {"ids": [live]})
    message_id = f"note-{uuid7()}"
    body = msgspec.json.encode({"type": kind, "event": name, "properties": properties})
    entry = LogEntry(
        customer_id=live,
        version=head + 1,
        origin_id=None,
        message_id=message_id,
        message_key=log.message_key(log.BUTLER_SOURCE_ID, message_id),
        body_hash=blake2b(body, digest_size=16).hexdigest(),
        kind=kind,
        name=name,
        about=about,
        actor=actor[:100],
        identifier_ids=[],
        occurred_at=now,
        body=msgspec.Raw(body),
    )
    log.append([entry], source_id=log.BUTLER_SOURCE_ID, evidence=VERIFIED, received_at=now)
    return head + 1


def _lock_live_record(customer_id: UUID) -> UUID:
    """Lock the live record that an id leads to, also where it is being merged at this moment."""
    while True:
        where = Coalesce("canonical_id", "id")
        live = Customer.objects.filter(pk=customer_id).values_list(where, flat=True).first()
        if live is None:
            raise NoSuchCustomer
        sql.rows("lock_records", {"ids": [live]})
        if Customer.objects.filter(pk=live, canonical=None).exists():
            return live
        customer_id = live
