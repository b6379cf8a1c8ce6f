"""Separates the orders of one record that have the same number. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from customers.projections.order_answers import PLACED
from customers.projections.order_requests import ORDER_SOURCE_ID
from customers.projections.projected_events import ProjectedEvent, counted_events
from customers.values.order_numbers import shown_number

type Events = Sequence[ProjectedEvent]


def separate_orders(number: str, events: Iterable[ProjectedEvent]) -> Mapping[str, Events]:
    """Return the events of each order with this number on one record, by the number that the order shows.

    If one source placed the number, all events are about its order. If several sources did, an event
    is about the order of its own source, or of the source that it names. Other events could mean two
    orders, so they change neither.
    """
    events = list(events)
    placements = [event for event in counted_events(events) if _is_placing(event)]
    shown = _shown_by_source(number, placements)
    if not shown:
        return {number: events}
    return {
        shown_as: [event for event in events if _meant_source(event, shown) == source_id]
        for source_id, shown_as in shown.items()
    }


def _is_placing(event: ProjectedEvent) -> bool:
    """Tell whether an event of a source places an order. Events of staff and customers do not."""
    is_placing = event.name == PLACED and event.is_verified
    return is_placing and not (event.is_by_staff or event.is_by_customer)


def _shown_by_source(number: str, placements: Events) -> dict[int, str]:
    """Return the number that the order of each source shows, with its place or the next free one."""
    places: dict[int, int] = {}
    for event in placements:
        if event.source_id not in places:
            place = event.order_place
            while place in places.values():
                place += 1
            places[event.source_id] = place
    return {source_id: shown_number(number, place) for source_id, place in places.items()}


def _meant_source(event: ProjectedEvent, placers: Mapping[int, str]) -> int | None:
    """Return the source of the order that an event means; None if it could mean several."""
    stated = event.properties.get(ORDER_SOURCE_ID)
    if isinstance(stated, int) and (event.is_by_staff or event.is_by_customer or event.is_by_owner):
        return stated
    if event.source_id in placers or len(placers) > 1:
        return event.source_id
    return next(iter(placers))
