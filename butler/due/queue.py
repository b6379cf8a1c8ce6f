"""A due row as the duty that it asks for sees it, and what the duty says of the next time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class Task(NamedTuple):
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


class Again(NamedTuple):
    """When to look again, and what to remember until then."""

    at: datetime
    facts: Mapping[str, Any]


type Duty = Callable[[Task, datetime], Again | datetime | None]
type BatchDuty = Callable[[Sequence[Task], datetime], None]
