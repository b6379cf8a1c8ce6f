"""Chooses the value of each trait from all statements about it. Pure.

What was verified outweighs what was claimed; then the later moment counts; then the message's
key decides, so that two values of one moment end the same way in any order of arrival.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from customers.types import IncomingEvent, Sender


class TraitStatement(msgspec.Struct, frozen=True):
    """A value that was stated for a trait of a customer, and how much it weighs."""

    customer_id: UUID
    name: str
    value: object
    evidence: int
    source_id: int
    occurred_at: datetime
    # As 32 hex digits, which sort as the database sorts the same key.
    message_key: str

    @property
    def weight(self) -> tuple[int, datetime, str]:
        return self.evidence, self.occurred_at, self.message_key


def trait_statements(
    event: IncomingEvent, sender: Sender, customer_id: UUID, message_key: str
) -> list[TraitStatement]:
    """Return what an event states of the traits of a customer."""
    return [
        TraitStatement(
            customer_id=customer_id,
            name=name,
            value=value,
            evidence=sender.evidence,
            source_id=sender.source_id,
            occurred_at=event.occurred_at,
            message_key=message_key,
        )
        for name, value in (event.traits or {}).items()
    ]


def weightiest(statements: Iterable[TraitStatement]) -> list[TraitStatement]:
    """Return one statement per customer and trait: the one that weighs most."""
    winners: dict[tuple[UUID, str], TraitStatement] = {}
    for statement in statements:
        key = statement.customer_id, statement.name
        if key not in winners or statement.weight > winners[key].weight:
            winners[key] = statement
    return list(winners.values())
