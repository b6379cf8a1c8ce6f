"""Changes records by appending events of Butler to their logs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec
from django.db import connection
from uuid_utils.compat import uuid7

from customers import db, ingest, sql
from customers.identity.resolution import stored_identifier
from customers.types import IncomingEvent, IngestOutcome, Sender


class ChangeAuthor(msgspec.Struct, frozen=True):
    """The sender and the actor of a change. An empty actor means the customer."""

    sender: Sender
    actor: str = ""
    # The identifiers that the session of the customer opens. The change is filed on one of them.
    # Empty for staff and sources, who file on any.
    opened_ids: frozenset[int] = frozenset()


class RecordChange(msgspec.Struct, frozen=True):
    """One event to append to a customer's log."""

    name: str
    about: str
    properties: Mapping[str, object]
    occurred_at: datetime
    # Additional identifiers. Butler adds the identifier that leads to the record.
    identifiers: tuple[tuple[str, str], ...] = ()


def lock_name(name: str) -> None:
    """Hold an advisory lock on this name until the transaction ends.

    Take this lock before locking records. In the other order, two transactions could deadlock.
    """
    key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


class UnreachableRecord(Exception):
    """No verified identifier leads to this record, so Butler cannot append an event to its log."""


class RejectedChange(Exception):
    """Butler did not accept a change. `reason` is a code."""

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
    """Append all of these changes to the customer's log; return the outcome of the last one.

    Raises UnreachableRecord, RejectedChange, or ingest.VersionMismatch if the log has another
    version than `expected_version`. After an error, no change is stored.
    """
    identifier = _routing_identifier(customer_id, author)
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


def _routing_identifier(customer_id: UUID, author: ChangeAuthor) -> tuple[str, str]:
    """Return an identifier by which events of any source reach this record."""
    params = {"id": customer_id, "among": sorted(author.opened_ids)}
    identifier = db.row(sql.load("find_routing_identifier"), params)
    if identifier is None:
        raise UnreachableRecord
    return stored_identifier(*identifier)


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
