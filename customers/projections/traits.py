"""Which value of a trait stands. Pure.

What was verified outweighs what was claimed; then the later moment counts; then the message's
key decides, so that two values of one moment end the same way in any order of arrival.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec


class Said(msgspec.Struct, frozen=True):
    """One value of one trait of one customer, and how much it weighs."""

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


def winners(values: Iterable[Said]) -> list[Said]:
    """Keep one value per customer and name: the weightiest."""
    kept: dict[tuple[UUID, str], Said] = {}
    for said in values:
        key = said.customer_id, said.name
        if key not in kept or said.weight > kept[key].weight:
            kept[key] = said
    return list(kept.values())
