"""The sentence about a customer that a till or gate shows to its operator. Reads no database."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from customers.identity.lookup import Match
from customers.queries.visits import Visit


class GateSentence(NamedTuple):
    """A customer, the visit, and one sentence about both (`line`)."""

    id: UUID
    version: int
    name: str | None
    is_verified: bool
    line: str
    order: Visit | None


def gate_sentence(match: Match, visit: Visit | None, *, today: date) -> GateSentence:
    """Return the sentence and the facts that a till shows about a customer and the visit."""
    display_name = match.name or "A guest without a name"
    line = f"{display_name}: {_describe_visit(visit, today)}"
    return GateSentence(match.id, match.version, match.name, match.is_verified, line, visit)


def _describe_visit(visit: Visit | None, today: date) -> str:
    if visit is None:
        return "no visit ahead"
    if visit.status in ("cancelled", "refunded"):
        return f"order {visit.number} was {visit.status}"
    at = f" at {visit.visit_time:%H:%M}" if visit.visit_time else ""
    if visit.visit_date is None:
        return f"order {visit.number}, no date"
    if visit.visit_date == today:
        return f"today{at}, order {visit.number}"
    when = "comes on" if visit.visit_date > today else "was due on"
    return f"{when} {visit.visit_date:%d %B %Y}{at}, order {visit.number}"
