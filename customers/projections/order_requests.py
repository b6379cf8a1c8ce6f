"""The requests of customers about one order, and the answers to them. Pure.

A request is open, then confirmed, declined, expired or withdrawn. Only the source that placed the
order, an owner of the space of that source, or staff answer it.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from customers.projections.projected_events import ProjectedEvent, parse_text

OPEN = "asked"
CONFIRMED = "confirmed"
DECLINED = "declined"
EXPIRED = "expired"
WITHDRAWN = "withdrawn"

# The property of an answer, and of the change that it grants, with the id of the request.
REQUEST_ID = "request_id"
# The reasons of Butler. Other reasons are texts of staff and sources.
ORDER_CHANGED = "order-changed"
ORDER_CLOSED = "order-closed"
LINE_GONE = "line-gone"

# The property with the id of the source that placed the order which an event means. Butler writes it
# if the record has several orders with the number.
ORDER_SOURCE_ID = "order_source_id"
# The properties that name the order of an event.
_ORDER_PROPERTIES = ("order_id", ORDER_SOURCE_ID)

_MOMENT = {"type": "string", "format": "date-time"}
_MOMENT_OR_EMPTY = {"anyOf": [_MOMENT, {"type": "string", "const": ""}]}


class OrderRequest(msgspec.Struct):
    """One request of a customer about an order, with its state."""

    id: str
    event: str
    change: dict[str, object]
    requested_at: Annotated[str, Meta(extra_json_schema=_MOMENT)]
    state: str = OPEN
    # The reason of a declined request; ORDER_CHANGED if the order changed while the request was open.
    reason: str = ""
    # Empty if the request is open.
    decided_at: Annotated[str, Meta(extra_json_schema=_MOMENT_OR_EMPTY)] = ""
    decided_by: str = ""

    @property
    def is_open(self) -> bool:
        """True if nobody has answered the request yet."""
        return self.state == OPEN


class Placer(msgspec.Struct, frozen=True):
    """The source that placed an order, and its space."""

    source_id: int
    space_id: int


def request_id(message_key: str) -> str:
    """Return the id of the request that an event makes: its message key as a UUID."""
    ends = (0, 8, 12, 16, 20, 32)
    return "-".join(message_key[start:end] for start, end in itertools.pairwise(ends))


def request_from_event(event: ProjectedEvent, change: dict[str, object]) -> OrderRequest:
    """Return the request that an event makes."""
    requested_at = event.occurred_at.isoformat()
    return OrderRequest(request_id(event.message_key), event.name, change, requested_at)


def stated_change(event: ProjectedEvent) -> dict[str, object]:
    """Return the fields that an event changes, without those that name the order."""
    return {
        name: value for name, value in event.properties.items() if name not in _ORDER_PROPERTIES
    }


def store_answer(
    request: OrderRequest, event: ProjectedEvent, state: str, reason: str = ""
) -> None:
    """Store the answer to an open request. An answered request keeps its answer."""
    if request.is_open:
        request.state, request.reason = state, reason[:500]
        request.decided_at, request.decided_by = event.occurred_at.isoformat(), event.stated_by


def store_answers(
    requests: Iterable[OrderRequest], event: ProjectedEvent, state: str, reason: str = ""
) -> None:
    """Store the same answer to all open requests."""
    for request in requests:
        store_answer(request, event, state, reason)


def requests_answered_by(
    requests: Iterable[OrderRequest], event: ProjectedEvent
) -> list[OrderRequest]:
    """Return the open requests that an event answers: the named one, or all if it names none."""
    id_ = parse_text(event.properties, REQUEST_ID)
    return [request for request in requests if request.is_open and id_ in ("", request.id)]


def requests_granted_by(
    requests: Iterable[OrderRequest], event: ProjectedEvent, changes: Mapping[str, str]
) -> list[OrderRequest]:
    """Return the open requests that a change of the order grants.

    The event names the request, makes exactly the requested change, or cancels the whole order.

    changes: the event that makes the change of each kind of request
    """
    if event.properties.get(REQUEST_ID):
        return requests_answered_by(requests, event)
    change = stated_change(event)
    return [
        request
        for request in requests
        if request.is_open
        and changes.get(request.event) == event.name
        and (request.change == change or event.name == "Order Cancelled")
    ]


def may_answer(event: ProjectedEvent, placer: Placer | None) -> bool:
    """Tell whether the sender of an event may answer requests about an order of this placer.

    placer: None for an order that no source has placed, or that staff placed
    """
    if not event.is_verified or event.is_by_customer:
        return False
    if placer is None or event.is_by_staff or event.source_id == placer.source_id:
        return True
    return event.is_by_owner and event.space_id == placer.space_id


def note_order_change(
    requests: Iterable[OrderRequest], event: ProjectedEvent, line_ids: Sequence[str]
) -> None:
    """Mark the open requests after a change of the order; decline those about missing lines.

    line_ids: the lines that the order has now
    """
    for request in requests:
        if not request.is_open:
            continue
        if parse_text(request.change, "line_id") not in ("", *line_ids):
            store_answer(request, event, DECLINED, LINE_GONE)
        else:
            request.reason = ORDER_CHANGED


def requested_changes(requests: Iterable[OrderRequest], requested: str) -> list[dict[str, object]]:
    """Return the changes that wait for an answer.

    requested: the event that requests a whole order, which is no change
    """
    return [
        {
            "id": request.id,
            "event": request.event,
            "change": request.change,
            "requested_at": request.requested_at,
        }
        for request in requests
        if request.is_open and request.event != requested
    ]
