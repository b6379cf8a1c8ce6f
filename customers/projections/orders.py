"""Folds the events about an order into its present state. Pure.

The vocabulary is Segment's (spec/ecommerce/v2: Order Completed, Updated, Cancelled, Refunded),
with two statements of our own: Order Amended names only what changes, and Order Line Cancelled
takes one line, or some of it, out. In any order of arrival the result is the same.

A customer only requests: Order Requested is no order yet, and the other requests wait beside
an order that stands. Staff or a source place, confirm or decline what was requested.
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
# What a customer asks for, and what becomes of it.
REQUESTED = "Order Requested"
CHANGE_REQUESTED = "Order Change Requested"
LINE_CANCELLATION_REQUESTED = "Order Line Cancellation Requested"
CANCELLATION_REQUESTED = "Order Cancellation Requested"
CONFIRMED = "Order Request Confirmed"
DECLINED = "Order Request Declined"


# What the column holds. Lines that come to more are a mistake, and still on the log as they came.
LARGEST = Decimal("999999999999.99")


class OrderState(msgspec.Struct):
    """An order as it stands. `total` is what was promised for what is still in it."""

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
    """Return the order that these events amount to; None where none of them makes one."""
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
    """Take down what a customer asks for. Until somebody places it, it is only a claim."""
    _state_whole(state, event)
    state.status, state.evidence = "requested", CLAIMED


def _request_change(state: OrderState, event: ProjectedEvent) -> None:
    """Keep a request beside an order that stands; a request itself changes at once."""
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
    """Take the statement as the whole order: lines that it does not name are gone."""
    if "products" in event.properties or "lines" in event.properties:
        stated = parse_objects(event.properties.get("products") or event.properties.get("lines"))
        state.lines = [
            line_from_document(document, number) for number, document in enumerate(stated, start=1)
        ]
    _state_details(state, event.properties)
    if "total" not in event.properties and "revenue" not in event.properties and state.lines:
        state.total = lines_total(state.lines)


def _amend(state: OrderState, event: ProjectedEvent) -> None:
    """Change only what is named; a line by its id, or added under a new one."""
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
    line_id = parse_text(event.properties, "line_id", "product_id", "sku")
    for line in state.lines:
        if line.id == line_id and line.status == "ordered":
            cancelled = min(
                parse_count(event.properties.get("quantity"), line.quantity), line.quantity
            )
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
    """Refund the lines that are named, or all of it."""
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
# What says nothing unless there is an order, and changes nothing of an order that stands.
_REQUESTS: dict[str, Callable[[OrderState, ProjectedEvent], None]] = {
    CHANGE_REQUESTED: _request_change,
    LINE_CANCELLATION_REQUESTED: _request_change,
    CANCELLATION_REQUESTED: _request_change,
    CONFIRMED: _confirm,
    DECLINED: _decline,
}
# What each request becomes when it is granted.
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
