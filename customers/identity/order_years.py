"""Adds the year to order numbers of sources whose numbers start again each year.

Number `1001` in 2027 becomes `1001·2027`.

The year of an order is that of the event which places it. Other events mean the order of their own
year. If there is none, they mean the latest order of the three years before, because an order of
December may be refunded in January.
"""

from collections.abc import Iterable, Sequence, Set

import msgspec
from django.utils.timezone import get_default_timezone

from customers import sql
from customers.identity.families import ORDER
from customers.identity.normalize import normalize
from customers.projections import orders
from customers.types import IncomingEvent, Sender
from customers.values.order_numbers import SUFFIX_SEPARATOR, number_of_year

# An event means an order of its own year, or of this many years before.
_YEARS_BEFORE = 3


def add_years(events: Sequence[IncomingEvent], sender: Sender) -> Sequence[IncomingEvent]:
    """Return the events; if the source numbers its orders yearly, with years in their order numbers."""
    if not sender.has_yearly_orders:
        return events
    numbers = {number for event in events if (number := _number(event))}
    if not numbers:
        return events
    placed = _placed_numbers(numbers, events, sender)
    return [_with_year(event, placed) for event in events]


def year_of(event: IncomingEvent) -> int:
    """Return the year of an event in the company's time zone."""
    return event.occurred_at.astimezone(get_default_timezone()).year


def _number(event: IncomingEvent) -> str:
    """Return the order number of an event; empty if it names no order, or one with a suffix."""
    number = event.about.removeprefix(orders.PREFIX)
    return "" if number == event.about or SUFFIX_SEPARATOR in number else number


def _placed_numbers(
    numbers: Iterable[str], events: Iterable[IncomingEvent], sender: Sender
) -> Set[str]:
    """Return the numbers, with years, of orders that the space or one of these events placed."""
    years = {year_of(event) - ago for event in events for ago in range(_YEARS_BEFORE + 1)}
    params = {
        "numbers": sorted(number_of_year(number, year) for number in numbers for year in years),
        "space_id": sender.space_id,
    }
    stored = {number for (number,) in sql.rows("find_placed_numbers", params)}
    return stored | {
        number_of_year(_number(event), year_of(event))
        for event in events
        if event.name == orders.PLACED and _number(event)
    }


def _with_year(event: IncomingEvent, placed: Set[str]) -> IncomingEvent:
    sent = _number(event)
    if not sent:
        return event
    candidates = [number_of_year(sent, year_of(event) - ago) for ago in range(_YEARS_BEFORE + 1)]
    number = candidates[0]
    if event.name != orders.PLACED:
        number = next((number for number in candidates if number in placed), number)
    identifiers = [
        (
            kind,
            number
            if kind == ORDER and normalize(ORDER, value) == normalize(ORDER, sent)
            else value,
        )
        for kind, value in event.identifiers
    ]
    return msgspec.structs.replace(
        event, about=f"{orders.PREFIX}{number}", identifiers=tuple(identifiers)
    )
