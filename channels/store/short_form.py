"""A record in one breath: what a person at a till or a gate can take in at a glance. Pure."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from customers.identity.lookup import Match, Visit


class ShortForm(NamedTuple):
    """Who stands there, and in one line what matters now."""

    id: UUID
    version: int
    name: str | None
    is_verified: bool
    line: str
    order: Visit | None


def short_form(match: Match, visit: Visit | None, *, today: date) -> ShortForm:
    """Put together what a till shows."""
    who = match.name or "A guest without a name"
    line = f"{who}: {_about(visit, today)}"
    return ShortForm(match.id, match.version, match.name, match.is_verified, line, visit)


def _about(visit: Visit | None, today: date) -> str:
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
