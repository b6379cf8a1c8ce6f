"""A due row as the duty that it asks for sees it, and what the duty says of the next time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class ClaimedDue(NamedTuple):
    """One due row, as a duty sees it."""

    id: int
    duty: str
    customer_id: UUID | None
    key: str
    facts: Mapping[str, Any]
    attempts: int
    due_at: datetime
    # The end of the claim, and its token.
    claimed_until: datetime


class Reschedule(NamedTuple):
    """When to look again, and what to remember until then."""

    at: datetime
    facts: Mapping[str, Any]


type Job = Callable[[ClaimedDue, datetime], Reschedule | datetime | None]
type BatchJob = Callable[[Sequence[ClaimedDue], datetime], None]
