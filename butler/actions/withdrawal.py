"""Records consent statements so that no forbidden message is sent after the acknowledgement.

Butler commits the statements first, so that each later claim reads them. Then it waits until no
delivery to this customer is in flight, and returns the messages that were sent before.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from butler import sql
from butler.actions import guardianship
from butler.queries.inbox import opened_messages
from customers import db
from customers.actions import consent
from customers.actions.changes import ChangeAuthor
from customers.consent.chain_writer import RecordedStatements
from customers.consent.statements import ConsentStatement
from customers.types import OpenedRecord

# In seconds. Longer than any lease, so that the wait ends when the lease ends.
DELIVERY_TIMEOUT = 20.0
# Messages sent within this time are returned, because they may not have arrived yet.
_RECENT = timedelta(hours=1)
_FIRST_POLL = 0.004


class SentMessage(NamedTuple):
    """One message that was sent, or may have been sent, before the statements took effect."""

    message_id: UUID
    channel: str
    topic: str
    purpose: str
    subject: str
    # accepted, delivered or uncertain; "sending" only if the wait timed out.
    state: str
    at: datetime


class Acknowledgement(NamedTuple):
    """The recorded statements, and the forbidden messages that were sent before."""

    recorded: RecordedStatements
    sent_messages: tuple[SentMessage, ...]


def record_statements(
    *,
    customer_id: UUID,
    statements: Sequence[ConsentStatement],
    author: ChangeAuthor,
    now: datetime,
    part: OpenedRecord | None = None,
    timeout: float = DELIVERY_TIMEOUT,
) -> Acknowledgement:
    """Record statements; return when no message that they forbid can be sent any more.

    Do not call it inside a transaction: uncommitted statements stop no delivery. Raises the errors
    of customers.actions.consent.record_statements, and InvalidStatement for a child's consent.

    part: the part of the record that a session opens; None for the whole record. The statements hold
    for the whole record; the returned messages are those of the part.
    """
    guardianship.refuse_children(customer_id, statements, now)
    recorded = consent.record_statements(
        customer_id=customer_id, statements=statements, author=author, now=now
    )
    # The statements are committed. A connection that is lost now does not undo them.
    sent_messages = _sent_messages(recorded.customer_id, part, timeout, now)
    return Acknowledgement(recorded, _forbidden(sent_messages, statements))


def _forbidden(
    messages: Sequence[SentMessage], statements: Sequence[ConsentStatement]
) -> tuple[SentMessage, ...]:
    """Return the messages that one of the statements forbids."""
    return tuple(
        message
        for message in messages
        if any(_is_about(statement, message) for statement in statements)
    )


def _sent_messages(
    customer_id: UUID, part: OpenedRecord | None, timeout: float, now: datetime
) -> list[SentMessage]:
    """Wait until no delivery is in flight; return the messages that were sent."""

    def wait_and_read() -> list[SentMessage]:
        wait_for_deliveries(customer_id, timeout)
        params = {"customer": customer_id, "since": now - _RECENT}
        sent = [SentMessage(*row) for row in sql.rows("find_sent_messages", params)]
        return _in_part(sent, part) if part else sent

    return db.retry_if_connection_lost(wait_and_read)


def _in_part(sent: Sequence[SentMessage], part: OpenedRecord) -> list[SentMessage]:
    """Return the messages that a session opens, in the same order."""
    ids = [message.message_id for message in sent]
    opened = set(opened_messages(part).filter(pk__in=ids).values_list("pk", flat=True))
    return [message for message in sent if message.message_id in opened]


def wait_for_deliveries(customer_id: UUID, timeout: float = DELIVERY_TIMEOUT) -> None:
    """Wait until no delivery to this live record is in flight, or until the timeout (seconds).

    Use it for statements that were not committed by `record_statements`.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_POLL
    while sql.rows("find_deliveries_in_flight", {"customer": customer_id}):
        if time.monotonic() > deadline:
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def _is_about(statement: ConsentStatement, message: SentMessage) -> bool:
    """Return whether the statement is about messages of this kind."""
    if statement.kind.startswith(("consent.", "objection.")):
        subjects = (message.purpose, "marketing")
        return statement.subject in subjects and bool(message.purpose)
    return statement.channel in ("*", message.channel) and statement.topic in ("*", message.topic)
