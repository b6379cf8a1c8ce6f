"""Changing a record means putting an event on its log; this is how we put our own there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec
from django.db import connection
from uuid_utils.compat import uuid7

from customers import db, ingest, sql
from customers.identity.grouping import ORDER
from customers.identity.resolution import order_of
from customers.types import IncomingEvent, IngestOutcome, Sender


class Author(msgspec.Struct, frozen=True):
    """Who changes something: through which source, and in whose name ('': the customer's)."""

    sender: Sender
    actor: str = ""


class Statement(msgspec.Struct, frozen=True):
    """One thing to state about a customer, in the words of the log."""

    name: str
    about: str
    properties: Mapping[str, object]
    occurred_at: datetime
    # Further identifiers, beside the one by which the record is found.
    identifiers: tuple[tuple[str, str], ...] = ()


def hold(name: str) -> None:
    """Let those who change the same thing at once go one after the other, until they commit.

    Taken before any record is: whoever held a record would wait here for who waits for it.
    """
    key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


class OutOfReach(Exception):
    """Nothing proved leads to this record, so nothing can be stated about it."""


class NotTaken(Exception):
    """The record did not take the statement; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def state(
    *,
    customer_id: UUID,
    author: Author,
    statements: Sequence[Statement],
    now: datetime,
    expected_version: int | None = None,
) -> IngestOutcome:
    """Put these statements on the customer's log, all or none; return where the last stands.

    Raises OutOfReach, NotTaken, or ingest.VersionMismatch when the log moved on.
    """
    address = db.row(sql.load("find_routing_identifier"), {"id": customer_id})
    if address is None:
        raise OutOfReach
    if address[0] == ORDER:
        source_id, _, number = address[1].partition("/")
        address = order_of(int(source_id), number)
    receipt = ingest.record(
        sender=author.sender,
        items=[_item(one, address, author) for one in statements],
        received_at=now,
        expected_version=expected_version,
    )
    for outcome in receipt.outcomes:
        if outcome.status != "accepted":
            raise NotTaken(outcome.reason or outcome.status)
    return receipt.outcomes[-1]


def _item(statement: Statement, address: tuple[str, str], author: Author) -> IncomingEvent:
    body = msgspec.json.encode(
        {
            "type": "track",
            "event": statement.name,
            "timestamp": statement.occurred_at,
            "properties": statement.properties,
        }
    )
    return IncomingEvent(
        message_id=f"butler-{uuid7()}",
        kind="track",
        name=statement.name,
        identifiers=(address, *statement.identifiers),
        occurred_at=statement.occurred_at,
        body=body,
        body_hash=blake2b(body, digest_size=16).digest(),
        about=statement.about,
        actor=author.actor,
    )
