"""Files scans at the gate on the orders of their tickets, as a scan of a ticket code does.

The gate is in another space than the shops, so the number of an order alone would find no order.
"""

from collections.abc import Sequence

import msgspec

from customers.identity.resolution import stored_identifier
from customers.models import Order
from customers.types import IncomingEvent
from examples.themepark.message_history import SCAN


def file_scans(events: Sequence[IncomingEvent]) -> list[IncomingEvent]:
    """Return the events; each scan names its order together with the source that placed it."""
    numbers = {_number(event) for event in events if event.name == SCAN}
    placed = Order.objects.filter(number__in=numbers, source_id__isnull=False) if numbers else ()
    sources = {order.number: order.source_id for order in placed}
    return [_filed(event, sources) if event.name == SCAN else event for event in events]


def _filed(event: IncomingEvent, sources: dict[str, int | None]) -> IncomingEvent:
    number = _number(event)
    if number not in sources:
        return event
    identifier = stored_identifier("order", f"{sources[number]}/{number}")
    return msgspec.structs.replace(event, identifiers=(identifier,))


def _number(event: IncomingEvent) -> str:
    return dict(event.identifiers).get("order", "")
