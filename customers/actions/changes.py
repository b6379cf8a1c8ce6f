"""Changes records by appending events of our own to their logs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec
from django.db import connection
from uuid_utils.compat import uuid7

from customers import db, ingest, sql
from customers.identity.grouping import ORDER
from customers.identity.resolution import order_identifier
from customers.types import IncomingEvent, IngestOutcome, Sender


class ChangeAuthor(msgspec.Struct, frozen=True):
    """Who changes a record: by which source, and in whose name ('': the customer's)."""

    sender: Sender
    actor: str = ""


class RecordChange(msgspec.Struct, frozen=True):
    """One event to append to a customer's log."""

    name: str
    about: str
    properties: Mapping[str, object]
    occurred_at: datetime
    # Further identifiers, beside the one by which the record is found.
    identifiers: tuple[tuple[str, str], ...] = ()


def lock_name(name: str) -> None:
    """Hold an advisory lock on this name until the transaction ends.

    Take it before the lock of any record: in the other order two writers could deadlock.
    """
    key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


class UnreachableRecord(Exception):
    """No verified identifier leads to this record, so no event of ours can reach it."""


class RejectedChange(Exception):
    """A change was not accepted; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def record_changes(
    *,
    customer_id: UUID,
    author: ChangeAuthor,
    changes: Sequence[RecordChange],
    now: datetime,
    expected_version: int | None = None,
) -> IngestOutcome:
    """Append these changes to the customer's log, all or none; return the last one's outcome.

    Raises UnreachableRecord, RejectedChange, or ingest.VersionMismatch when the log moved on.
    """
    identifier = _routing_identifier(customer_id)
    receipt = ingest.store_events(
        sender=author.sender,
        events=[_incoming_event(change, identifier, author) for change in changes],
        received_at=now,
        expected_version=expected_version,
    )
    for outcome in receipt.outcomes:
        if outcome.status != "accepted":
            raise RejectedChange(outcome.reason or outcome.status)
    return receipt.outcomes[-1]


def _routing_identifier(customer_id: UUID) -> tuple[str, str]:
    """Return the identifier by which an event of any source reaches this record."""
    identifier = db.row(sql.load("find_routing_identifier"), {"id": customer_id})
    if identifier is None:
        raise UnreachableRecord
    kind, value = identifier
    if kind == ORDER:
        source_id, _, number = value.partition("/")
        return order_identifier(int(source_id), number)
    return kind, value


def _incoming_event(
    change: RecordChange, identifier: tuple[str, str], author: ChangeAuthor
) -> IncomingEvent:
    body = msgspec.json.encode(
        {
            "type": "track",
            "event": change.name,
            "timestamp": change.occurred_at,
            "properties": change.properties,
        }
    )
    return IncomingEvent(
        message_id=f"butler-{uuid7()}",
        kind="track",
        name=change.name,
        identifiers=(identifier, *change.identifiers),
        occurred_at=change.occurred_at,
        body=body,
        body_hash=blake2b(body, digest_size=16).digest(),
        about=change.about,
        actor=author.actor,
    )
