"""The events that the pure projections read, and the parsers of their fields. No Django."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal

import msgspec

# Amounts contain only the digits 0-9, and no underscores, although Python accepts both.
_AMOUNT = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*\Z")
# Years of four digits in which each moment has a valid date in all time zones.
_FIRST_YEAR, _LAST_YEAR = 1000, 9998


class ProjectedEvent(msgspec.Struct, frozen=True):
    """One event about one subject, such as an order."""

    name: str
    occurred_at: datetime
    # customers.events.arrival
    arrival: int
    message_key: str
    evidence: int
    channel: str
    actor: str
    version: int
    properties: dict[str, object]

    @property
    def time_order(self) -> tuple[datetime, int, str]:
        """The sort key of events: the time of the event, then its arrival, then its message key.

        The message key decides between events that different batches brought at the same time.
        """
        return self.occurred_at, self.arrival, self.message_key

    @property
    def stated_by(self) -> str:
        """Return the actor of the event; the channel of its source if it has no actor."""
        return self.actor or self.channel


def in_order(events: Iterable[ProjectedEvent]) -> list[ProjectedEvent]:
    """Return events in their order of time; without claims if there are verified events."""
    events = list(events)
    evidence = max((event.evidence for event in events), default=0)
    counted = [event for event in events if event.evidence == evidence]
    return sorted(counted, key=lambda event: event.time_order)


def parse_text(properties: dict[str, object], *names: str) -> str:
    """Return the first of these fields that is text or a number, as text; empty if none is."""
    for name in names:
        value = properties.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def parse_money(value: object) -> Decimal | None:
    """Return an amount with two decimals, in units of its currency; None if it is not valid."""
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
    """Return a whole number from 0 to 999,999,999; the default for any other value."""
    # isdigit() alone also accepts superscripts and circled digits.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value) if 0 <= value < 10**9 else default
    return default


def parse_date(value: object) -> date | None:
    """Return an ISO 8601 date; None if it is not valid or its year is out of reach."""
    try:
        stated = date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
    return stated if stated and is_in_reach(stated) else None


def parse_moment(value: object) -> datetime | None:
    """Return an ISO 8601 moment in UTC; None if it is not valid or has no UTC offset."""
    try:
        stated = datetime.fromisoformat(value) if isinstance(value, str) else None
        instant = stated.astimezone(UTC) if stated and stated.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return instant if instant and is_in_reach(instant) else None


def is_in_reach(day: date) -> bool:
    """Tell whether date arithmetic of some weeks around this date is safe in all time zones."""
    return _FIRST_YEAR <= day.year <= _LAST_YEAR


def parse_clock(value: object) -> time | None:
    """Return an ISO 8601 time of day without its offset; None if it is not valid."""
    try:
        return time.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None
    except ValueError:
        return None


def parse_objects(value: object) -> list[dict[str, object]]:
    """Return the JSON objects of a list. Other items are left out."""
    return (
        [document for document in value if isinstance(document, dict)]
        if isinstance(value, list)
        else []
    )
