"""Separates the orders of one record that have the same number. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from customers.projections.order_answers import PLACED
from customers.projections.order_placements import Placement, read_placement
from customers.projections.order_requests import ORDER_SOURCE_ID
from customers.projections.projected_events import ProjectedEvent, counted_events
from customers.values.order_numbers import shown_number

type Events = Sequence[ProjectedEvent]


def separate_orders(number: str, events: Iterable[ProjectedEvent]) -> Mapping[str, Events]:
    """Return the events of each order with this number on one record, by the number that the order shows.

    If one source placed the number, all events are about its order. If several sources did, an event
    is about the order of its own source, or of the source that it names. Other events could mean two
    orders, so they change neither. If sources of one space send the same sale, it is one order.
    """
    events = list(events)
    placements = [event for event in counted_events(events) if _is_placing(event)]
    placers = _placers(placements)
    if not placers:
        return {number: events}
    first_placements = [
        event for event in placements if placers[event.source_id] == event.source_id
    ]
    return {
        shown_as: [event for event in events if _meant_source(event, placers) == source_id]
        for source_id, shown_as in _shown_by_source(number, first_placements).items()
    }


def _is_placing(event: ProjectedEvent) -> bool:
    """Tell whether an event of a source places an order. Events of staff and customers do not."""
    is_placing = event.name == PLACED and event.is_verified
    return is_placing and not (event.is_by_staff or event.is_by_customer)


def _placers(placements: Events) -> dict[int, int]:
    """Return, for each source, the source of its order: itself, or the first source of the same sale.

    Only the earliest events of each source are compared.
    """
    first: dict[int, ProjectedEvent] = {}
    for event in placements:
        first.setdefault(event.source_id, event)
    placers = {source_id: source_id for source_id in first}
    if len(first) == 1:
        return placers
    facts: dict[tuple[int, Placement], int] = {}
    for event in placements:
        if event.occurred_at == first[event.source_id].occurred_at:
            placement = read_placement(event.properties, event.occurred_at)
            if placement.lines:
                placer = facts.setdefault((event.space_id, placement), placers[event.source_id])
                placers[event.source_id] = placer
    return {source_id: placers[placer] for source_id, placer in placers.items()}


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


def _meant_source(event: ProjectedEvent, placers: Mapping[int, int]) -> int | None:
    """Return the source of the order that an event means; None if it could mean several."""
    stated = event.properties.get(ORDER_SOURCE_ID)
    if isinstance(stated, int) and (event.is_by_staff or event.is_by_customer or event.is_by_owner):
        return placers.get(stated, stated)
    if event.source_id in placers:
        return placers[event.source_id]
    only, *others = {*placers.values()}
    return event.source_id if others else only
