"""The event as the pure projections read it, and how they parse its fields. No Django."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal

import msgspec

# Digits of other scripts, and the underscores that Python allows, are in nobody's amounts.
_AMOUNT = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*\Z")
# Years of four digits whose every moment exists on the clocks of every zone.
_FIRST_YEAR, _LAST_YEAR = 1000, 9998


class ProjectedEvent(msgspec.Struct, frozen=True):
    """One event about one thing, such as an order."""

    name: str
    occurred_at: datetime
    message_key: str
    evidence: int
    channel: str
    actor: str
    version: int
    properties: dict[str, object]

    @property
    def stated_by(self) -> str:
        return self.actor or self.channel


def in_order(events: Iterable[ProjectedEvent]) -> list[ProjectedEvent]:
    """Sort by when things happened; drop claims about what a trusted source has stated."""
    events = list(events)
    evidence = max((event.evidence for event in events), default=0)
    counted = [event for event in events if event.evidence == evidence]
    return sorted(counted, key=lambda event: (event.occurred_at, event.message_key))


def parse_text(properties: dict[str, object], *names: str) -> str:
    """Return the first of these fields that holds text or a number."""
    for name in names:
        value = properties.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def parse_money(value: object) -> Decimal | None:
    """Read an amount in units of its currency, in cents, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, str) and not _AMOUNT.match(value):
        return None
    try:
        amount = Decimal(str(value)).quantize(Decimal("0.01"))
    except (ArithmeticError, ValueError):
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal("1e12") else None


def parse_count(value: object, default: int) -> int:
    """Read a count; a fraction or a word counts as not said."""
    # isdigit() alone also accepts superscripts and circled digits, which are no numbers.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value) if 0 <= value < 10**9 else default
    return default


def parse_date(value: object) -> date | None:
    """Read a date; one that some zone's calendar does not reach counts as not said."""
    try:
        stated = date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
    return stated if stated and is_in_reach(stated) else None


def parse_moment(value: object) -> datetime | None:
    """Read a moment with its zone; one without could be any of many, so it counts as not said."""
    try:
        stated = datetime.fromisoformat(value) if isinstance(value, str) else None
        instant = stated.astimezone(UTC) if stated and stated.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return instant if instant and is_in_reach(instant) else None


def is_in_reach(day: date) -> bool:
    """Tell whether dates can be reckoned with, in any zone, some weeks before and after it."""
    return _FIRST_YEAR <= day.year <= _LAST_YEAR


def parse_clock(value: object) -> time | None:
    try:
        return time.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None
    except ValueError:
        return None


def parse_objects(value: object) -> list[dict[str, object]]:
    """Return the objects of a list, leaving out what is none."""
    return (
        [document for document in value if isinstance(document, dict)]
        if isinstance(value, list)
        else []
    )
