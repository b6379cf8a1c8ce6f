"""What the pure projections read of an event, and how they read it. No Django."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

import msgspec


class Fact(msgspec.Struct, frozen=True):
    """One event about one thing, such as an order."""

    name: str
    occurred_at: datetime
    message_key: str
    trust: int
    channel: str
    actor: str
    version: int
    data: dict[str, object]

    @property
    def said_by(self) -> str:
        return self.actor or self.channel


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Sort by when things happened; drop claims about what a trusted source has stated."""
    facts = list(facts)
    trust = max((fact.trust for fact in facts), default=0)
    weighty = [fact for fact in facts if fact.trust == trust]
    return sorted(weighty, key=lambda fact: (fact.occurred_at, fact.message_key))


def text(data: dict[str, object], *names: str) -> str:
    """Return the first of these fields that holds text or a number."""
    for name in names:
        value = data.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def money(value: object) -> Decimal | None:
    """Read an amount in units of its currency, in cents, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal("1e12") else None


def whole(value: object, default: int) -> int:
    """Read a count; a fraction or a word counts as not said."""
    if isinstance(value, str) and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value) if 0 <= value < 10**9 else default
    return default


def day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def clock(value: object) -> time | None:
    try:
        return time.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None
    except ValueError:
        return None


def documents(value: object) -> list[dict[str, object]]:
    """Return the objects of a list, leaving out what is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
