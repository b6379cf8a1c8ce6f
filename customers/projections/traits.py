"""Chooses the value of each trait from all statements about it. Pure.

A verified statement outweighs a claimed one. Of equal evidence, the later statement outweighs the
earlier one. At the same time, the message key decides, so that the order of arrival has no effect.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from customers.types import IncomingEvent, Sender


class TraitStatement(msgspec.Struct, frozen=True):
    """A statement of the value of a customer's trait, with the fields that give it weight."""

    customer_id: UUID
    name: str
    value: object
    evidence: int
    source_id: int
    occurred_at: datetime
    # 32 hex digits. Text and database sort them in the same order.
    message_key: str

    @property
    def weight(self) -> tuple[int, datetime, str]:
        """The key for comparisons: the evidence, then the time, then the message key."""
        return self.evidence, self.occurred_at, self.message_key


def trait_statements(
    event: IncomingEvent, sender: Sender, customer_id: UUID, message_key: str
) -> list[TraitStatement]:
    """Return the statements of an event about the traits of a customer."""
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
    """Return for each customer and trait the statement with the largest weight."""
    winners: dict[tuple[UUID, str], TraitStatement] = {}
    for statement in statements:
        key = statement.customer_id, statement.name
        if key not in winners or statement.weight > winners[key].weight:
            winners[key] = statement
    return list(winners.values())
