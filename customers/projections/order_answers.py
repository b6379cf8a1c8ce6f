"""Folds the requests of customers about an order, and the answers to them. Pure.

A request does not change a placed order. An answer that confirms it applies the requested change.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from customers.projections import order_requests
from customers.projections.order_requests import (
    may_answer,
    note_order_change,
    request_from_event,
    requested_changes,
    requests_answered_by,
    requests_granted_by,
    stated_change,
    store_answer,
    store_answers,
)
from customers.projections.order_state import OrderState
from customers.projections.order_statements import change_of_customer
from customers.projections.projected_events import ProjectedEvent, parse_text
from customers.types import CLAIMED
from customers.values.times import written_instant

PLACED = "Order Completed"
# Requests of customers, and the answers to them.
REQUESTED = "Order Requested"
CHANGE_REQUESTED = "Order Change Requested"
LINE_CANCELLATION_REQUESTED = "Order Line Cancellation Requested"
CANCELLATION_REQUESTED = "Order Cancellation Requested"
CONFIRMED = "Order Request Confirmed"
DECLINED = "Order Request Declined"
EXPIRED = "Order Request Expired"
# Butler's event that an order left or joined the record.
MOVED = "Order Moved"
# The event that makes each requested change.
CHANGE_OF_REQUEST = {
    CHANGE_REQUESTED: "Order Amended",
    LINE_CANCELLATION_REQUESTED: "Order Line Cancelled",
    CANCELLATION_REQUESTED: "Order Cancelled",
}

type Change = Callable[[OrderState, ProjectedEvent], None]
# The function that makes each requested change.
type Changes = Mapping[str, Change]


def request_order(state: OrderState, event: ProjectedEvent) -> None:
    """Store a requested order. It stays a claim without a price until staff or a source place it."""
    remove_prices(state)
    if event.is_verified and not state.requests:
        state.requests = [request_from_event(event, {})]
    state.status, state.evidence = "requested", CLAIMED


def turn_into_request(state: OrderState) -> None:
    """Turn an order by a claim into a request: everybody with a publishable key can send a claim."""
    remove_prices(state)
    state.refunds = []
    if state.status != "cancelled":
        state.status = "requested"


def remove_prices(state: OrderState) -> None:
    """Remove the fields that only the company sets: the prices and the code."""
    for line in state.lines:
        line.unit_price = None
    state.total = Decimal("0.00")
    state.details = {name: value for name, value in state.details.items() if name != "code"}


def request_change(state: OrderState, event: ProjectedEvent, changes: Changes) -> None:
    """Store the request to change a placed order. A requested order changes at once."""
    if state.status == "requested":
        changes[event.name](state, event)
        remove_prices(state)
        if state.status == "cancelled":
            store_answers(state.requests, event, order_requests.WITHDRAWN)
        return
    request = request_from_event(event, change_of_customer(stated_change(event)))
    if state.is_closed:
        store_answer(request, event, order_requests.DECLINED, order_requests.ORDER_CLOSED)
    state.requests = [*state.requests, request]


def answer_after_change(state: OrderState, event: ProjectedEvent) -> None:
    """Answer the requests that a change of the order grants or makes impossible."""
    if may_answer(event, state.placer):
        granted = requests_granted_by(state.requests, event, CHANGE_OF_REQUEST)
        store_answers(granted, event, order_requests.CONFIRMED)
    if state.is_closed:
        store_answers(state.requests, event, order_requests.DECLINED, order_requests.ORDER_CLOSED)
    elif event.name == PLACED and event.is_verified:
        whole_orders = (request for request in state.requests if request.event == REQUESTED)
        store_answers(whole_orders, event, order_requests.CONFIRMED)
    elif event.name != REQUESTED:
        line_ids = [line.id for line in state.lines if line.status == "ordered"]
        changes = [request for request in state.requests if request.event != REQUESTED]
        note_order_change(changes, event, line_ids)


def confirm(state: OrderState, event: ProjectedEvent, changes: Changes) -> None:
    """Confirm the open requests that the event answers, and make the requested changes."""
    if not may_answer(event, state.placer):
        return
    for request in requests_answered_by(state.requests, event):
        store_answer(request, event, order_requests.CONFIRMED)
        if request.event != REQUESTED:
            grant = {"order_id": state.number, **request.change}
            changes[request.event](state, msgspec.structs.replace(event, properties=grant))
        elif state.status == "requested":
            state.status, state.evidence = "placed", event.evidence
        state.changed_at, state.changed_by = event.occurred_at, event.stated_by
        answer_after_change(state, event)


def decline(state: OrderState, event: ProjectedEvent) -> None:
    """Decline the requests that the event answers."""
    if may_answer(event, state.placer):
        reason = parse_text(event.properties, "reason")
        _refuse(state, event, order_requests.DECLINED, reason)


def expire(state: OrderState, event: ProjectedEvent) -> None:
    """Expire the requests that the event names. Only events of Butler have this effect."""
    if event.is_by_staff:
        _refuse(state, event, order_requests.EXPIRED)


def _refuse(state: OrderState, event: ProjectedEvent, answer: str, reason: str = "") -> None:
    answered = requests_answered_by(state.requests, event)
    store_answers(answered, event, answer, reason)
    is_about_order = not state.requests or any(request.event == REQUESTED for request in answered)
    if state.status == "requested" and is_about_order:
        state.status = answer
        state.changed_at, state.changed_by = event.occurred_at, event.stated_by


def remove_requests(state: OrderState, event: ProjectedEvent) -> None:
    """Remove the requests of the former customer from a moved order. The log keeps them."""
    ended = event.properties.get("requests")
    if event.is_by_staff and isinstance(ended, list):
        state.requests = [request for request in state.requests if request.id not in ended]


def finish_requests(state: OrderState) -> None:
    """Decline the open requests of a closed order, and compute the fields that depend on all requests."""
    if state.is_closed:
        for request in state.requests:
            if request.is_open:
                request.state, request.reason = order_requests.DECLINED, order_requests.ORDER_CLOSED
                request.decided_at = state.changed_at.isoformat()
                request.decided_by = state.changed_by
    state.requested_changes = requested_changes(state.requests, REQUESTED)
    times = [written_instant(request.requested_at) for request in state.requests if request.is_open]
    state.asked_at = min(times, default=None)
