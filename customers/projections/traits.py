"""Chooses the value of each trait from all statements about it. Pure.

A verified statement outweighs a claimed one. Of equal evidence, the later statement outweighs the
earlier one. Of the same time, the statement that arrived later outweighs the other one; a batch
arrives in the order of its events.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from customers.types import IncomingEvent, LogEntry, Sender


class TraitStatement(msgspec.Struct, frozen=True):
    """A statement of the value of a customer's trait, with the fields that give it weight."""

    customer_id: UUID
    name: str
    value: object
    evidence: int
    source_id: int
    occurred_at: datetime
    # customers.events.arrival
    arrival: int
    # 32 hex digits. Text and database sort them in the same order.
    message_key: str

    @property
    def weight(self) -> tuple[int, datetime, int, str]:
        """The key for comparisons: evidence, time, arrival, and last the message key."""
        return self.evidence, self.occurred_at, self.arrival, self.message_key


def trait_statements(event: IncomingEvent, sender: Sender, entry: LogEntry) -> list[TraitStatement]:
    """Return the statements of an event about the traits of the customer on whose log it is."""
    return [
        TraitStatement(
            customer_id=entry.customer_id,
            name=name,
            value=value,
            evidence=sender.evidence,
            source_id=sender.source_id,
            occurred_at=entry.occurred_at,
            arrival=entry.arrival,
            message_key=entry.message_key,
        )
        for name, value in (event.traits or {}).items()
    ]


def weightiest(statements: Iterable[TraitStatement]) -> list[TraitStatement]:
    """Return for each customer and trait the statement with the largest weight."""
    winners: dict[tuple[UUID, str], TraitStatement] = {}
    for statement in statements:
        key = statement.customer_id, statement.name
        if key not in winners or statement.weight > winners[key].weight:
            winners[key] = statement
    return list(winners.values())
