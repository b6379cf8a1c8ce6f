"""Folds the events of an order into its current state. Pure.

The events are Segment's (spec/ecommerce/v2: Order Completed, Updated, Cancelled, Refunded), and two
of Butler: Order Amended contains only the changed fields, and Order Line Cancelled cancels a line
or a part of its quantity. The order of arrival does not change the result.

Customers only send requests. Order Requested does not place an order. The other requests do not
change a placed order until staff or a source confirm them.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from customers.projections.order_lines import (
    OrderLine,
    amend_line,
    line_from_document,
    lines_total,
)
from customers.projections.projected_events import (
    ProjectedEvent,
    in_order,
    parse_clock,
    parse_count,
    parse_date,
    parse_money,
    parse_objects,
    parse_text,
)
from customers.types import CLAIMED

PREFIX = "order:"
PLACED = "Order Completed"
# Requests of customers, and the answers to them.
REQUESTED = "Order Requested"
CHANGE_REQUESTED = "Order Change Requested"
LINE_CANCELLATION_REQUESTED = "Order Line Cancellation Requested"
CANCELLATION_REQUESTED = "Order Cancellation Requested"
CONFIRMED = "Order Request Confirmed"
DECLINED = "Order Request Declined"


# The largest amount that the column can store. The projection caps larger totals, which are
# mistakes; the log keeps the original values.
LARGEST = Decimal("999999999999.99")


class OrderState(msgspec.Struct):
    """The current state of an order. `total` is the agreed price less the cancelled lines."""

    number: str
    placed_at: datetime
    changed_at: datetime
    channel: str
    changed_by: str
    evidence: int
    version: int
    status: str = "placed"
    currency: str = ""
    total: Decimal = Decimal("0.00")
    visit_date: date | None = None
    visit_time: time | None = None
    party: list[dict[str, object]] = []
    lines: list[OrderLine] = []
    details: dict[str, object] = {}
    requested_changes: list[dict[str, object]] = []


def fold(number: str, events: Iterable[ProjectedEvent]) -> OrderState | None:
    """Return the order from these events; None if no event places, requests or changes it."""
    state: OrderState | None = None
    for event in in_order(events):
        if change := _CHANGES.get(event.name):
            state = state or _opened(number, event)
            change(state, event)
            state.changed_at, state.changed_by = event.occurred_at, event.stated_by
        elif state is None or not (change := _REQUESTS.get(event.name)):
            continue
        else:
            change(state, event)
        state.version = max(state.version, event.version)
    if state is not None:
        state.total = max(-LARGEST, min(LARGEST, state.total))
    return state


def _opened(number: str, event: ProjectedEvent) -> OrderState:
    return OrderState(
        number=number,
        placed_at=event.occurred_at,
        changed_at=event.occurred_at,
        channel=event.channel,
        changed_by=event.stated_by,
        evidence=event.evidence,
        version=event.version,
    )


def _place(state: OrderState, event: ProjectedEvent) -> None:
    _state_whole(state, event)
    state.status = "placed"
    state.evidence = event.evidence


def _request(state: OrderState, event: ProjectedEvent) -> None:
    """Store a requested order. It stays a claim until staff or a source place it."""
    _state_whole(state, event)
    state.status, state.evidence = "requested", CLAIMED


def _request_change(state: OrderState, event: ProjectedEvent) -> None:
    """Store the request of a change to a placed order. Change a requested order at once."""
    if state.status == "requested":
        _CHANGE_OF[event.name](state, event)
    elif state.status in ("placed", "amended"):
        change = {name: value for name, value in event.properties.items() if name != "order_id"}
        request: dict[str, object] = {
            "event": event.name,
            "change": change,
            "requested_at": event.occurred_at.isoformat(),
        }
        state.requested_changes = [*state.requested_changes, request]


def _confirm(state: OrderState, event: ProjectedEvent) -> None:
    state.requested_changes = []


def _decline(state: OrderState, event: ProjectedEvent) -> None:
    state.requested_changes = []
    if state.status == "requested":
        state.status = "declined"
        state.changed_at, state.changed_by = event.occurred_at, event.stated_by


def _update(state: OrderState, event: ProjectedEvent) -> None:
    _state_whole(state, event)
    if state.status == "placed":
        state.status = "amended"


def _state_whole(state: OrderState, event: ProjectedEvent) -> None:
    """Replace the order with the whole order in the event. Lines that are missing there go."""
    if "products" in event.properties or "lines" in event.properties:
        stated = parse_objects(event.properties.get("products") or event.properties.get("lines"))
        state.lines = [
            line_from_document(document, number) for number, document in enumerate(stated, start=1)
        ]
    _state_details(state, event.properties)
    if "total" not in event.properties and "revenue" not in event.properties and state.lines:
        state.total = lines_total(state.lines)


def _amend(state: OrderState, event: ProjectedEvent) -> None:
    """Change only the given fields. A line with a known id changes; one with a new id is added."""
    by_id = {line.id: line for line in state.lines}
    before = lines_total(state.lines)
    stated = parse_objects(event.properties.get("lines"))
    for number, document in enumerate(stated, start=len(by_id) + 1):
        line = line_from_document(document, number)
        if current := by_id.get(line.id):
            amend_line(current, line, document)
        else:
            by_id[line.id] = line
    state.lines = list(by_id.values())
    state.total += lines_total(state.lines) - before
    _state_details(state, event.properties)
    if state.status == "placed":
        state.status = "amended"


def _cancel_line(state: OrderState, event: ProjectedEvent) -> None:
    """Cancel a line, or the stated quantity of it. An unreadable quantity changes nothing."""
    line_id = parse_text(event.properties, "line_id", "product_id", "sku")
    quantity = event.properties.get("quantity")
    for line in state.lines:
        if line.id == line_id and line.status == "ordered":
            default = line.quantity if quantity is None else 0
            cancelled = min(parse_count(quantity, default), line.quantity)
            if not cancelled and line.quantity:
                return
            state.total -= (line.unit_price or Decimal(0)) * cancelled
            if cancelled == line.quantity:
                line.status = "cancelled"
            else:
                line.quantity -= cancelled
            if state.status == "placed":
                state.status = "amended"
            return


def _cancel(state: OrderState, event: ProjectedEvent) -> None:
    state.status = "cancelled"
    state.requested_changes = []


def _refund(state: OrderState, event: ProjectedEvent) -> None:
    """Refund the named lines, or the whole order if the event names no lines."""
    products = parse_objects(event.properties.get("products"))
    named = {parse_text(product, "line_id", "id", "product_id") for product in products}
    for line in state.lines:
        if line.id in named or line.product in named:
            line.status = "refunded"
    if not named:
        state.status = "refunded"
        state.requested_changes = []


_CHANGES: dict[str, Callable[[OrderState, ProjectedEvent], None]] = {
    PLACED: _place,
    "Order Updated": _update,
    "Order Amended": _amend,
    "Order Line Cancelled": _cancel_line,
    "Order Cancelled": _cancel,
    "Order Refunded": _refund,
    REQUESTED: _request,
}
# Requests and answers. They have no effect without an order, and do not change a placed order.
_REQUESTS: dict[str, Callable[[OrderState, ProjectedEvent], None]] = {
    CHANGE_REQUESTED: _request_change,
    LINE_CANCELLATION_REQUESTED: _request_change,
    CANCELLATION_REQUESTED: _request_change,
    CONFIRMED: _confirm,
    DECLINED: _decline,
}
# The event that confirms each request.
GRANTED = {
    CHANGE_REQUESTED: "Order Amended",
    LINE_CANCELLATION_REQUESTED: "Order Line Cancelled",
    CANCELLATION_REQUESTED: "Order Cancelled",
}
_CHANGE_OF = {request: _CHANGES[change] for request, change in GRANTED.items()}

NAMES = frozenset(_CHANGES)


def _state_details(state: OrderState, properties: dict[str, object]) -> None:
    total = parse_money(properties.get("total", properties.get("revenue")))
    if total is not None:
        state.total = total
    state.currency = (parse_text(properties, "currency") or state.currency).upper()[:3]
    if "visit_date" in properties:
        state.visit_date = parse_date(properties["visit_date"])
    if "visit_time" in properties:
        state.visit_time = parse_clock(properties["visit_time"])
    if "party" in properties:
        state.party = parse_objects(properties["party"])
    for name in ("name", "note", "code", "coupon", "affiliation"):
        if name in properties:
            state.details = {**state.details, name: properties[name]}
