"""Identifiers of a batch with the records that they lead to. Pure values."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers.identity.links import IdentifierKey


class ResolvedIdentifier(NamedTuple):
    """An identifier, its own record, and its live record with the version of that log."""

    id: int
    record_id: UUID | None
    customer_id: UUID | None
    version: int
    is_shared: bool = False
    is_placeholder: bool = False
    # When the period of an address begins; None for the first period.
    period_starts_at: datetime | None = None
    # A customer proved the address by a code, in this period.
    is_proved: bool = False


type Resolved = dict[IdentifierKey, ResolvedIdentifier]
