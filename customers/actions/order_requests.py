"""Requests of customers about orders, which staff or a source confirm or decline.

Each request and each answer is an event on the customer's log.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction

from customers.actions.changes import ChangeAuthor, record_changes
from customers.actions.orders import (
    OrderPlacement,
    OrderTarget,
    UnverifiedOrder,
    confirmation,
    lock_open_order,
    new_number,
    order_change,
    record_order_changes,
    require_lines,
)
from customers.models import Evidence, Order
from customers.projections import orders
from customers.projections.projected_events import parse_objects
from customers.types import IngestOutcome

# So many requests of one order may wait for staff at once, of so many bytes of JSON each.
MAX_PENDING_REQUESTS = 20
MAX_REQUEST_SIZE = 16 * 1024


class TooManyPendingRequests(Exception):
    """So many requests about this order wait for staff that another one is refused."""


class RequestTooLarge(Exception):
    """The request has more than MAX_REQUEST_SIZE bytes of JSON."""


class NoPendingRequest(Exception):
    """The customer has no open request about this order."""


@transaction.atomic
def request_order(
    *,
    customer_id: UUID,
    author: ChangeAuthor,
    order: Mapping[str, object],
    now: datetime,
    expected_version: int | None = None,
) -> OrderPlacement:
    """Record the request of a customer for an order. Butler chooses the number of the order.

    The order is not placed until staff or a source confirm it.
    """
    number = new_number()
    while Order.objects.filter(number=number).exists():
        number = new_number()
    outcome = record_changes(
        customer_id=customer_id,
        author=author,
        changes=[order_change(orders.REQUESTED, number, order, now)],
        now=now,
        expected_version=expected_version,
    )
    return OrderPlacement(number, outcome)


@transaction.atomic
def request_change(
    *, target: OrderTarget, name: str, change: Mapping[str, object]
) -> IngestOutcome:
    """Record a change that a customer requests. A placed order does not change yet.

    name: one of customers.projections.orders.GRANTED

    Raises the errors of `lock_open_order` and `require_lines`, UnverifiedOrder, RequestTooLarge and
    TooManyPendingRequests.
    """
    if len(msgspec.json.encode(change)) > MAX_REQUEST_SIZE:
        raise RequestTooLarge
    order = lock_open_order(target)
    if len(order.requested_changes) >= MAX_PENDING_REQUESTS:
        raise TooManyPendingRequests
    if order.evidence == Evidence.CLAIMED and order.status != Order.Status.REQUESTED:
        raise UnverifiedOrder
    line_ids = [line["line_id"] for line in parse_objects(change.get("lines"))]
    require_lines(order, [*line_ids, *([change["line_id"]] if "line_id" in change else [])])
    return record_order_changes(target, [order_change(name, target.number, change, target.now)])


@transaction.atomic
def confirm_request(*, target: OrderTarget) -> IngestOutcome:
    """Confirm the customer's request: place the order, or make the requested changes.

    Raises NoPendingRequest.
    """
    order = lock_open_order(target)
    if order.status == Order.Status.REQUESTED:
        return record_order_changes(target, [confirmation(order, target)])
    if not order.requested_changes:
        raise NoPendingRequest
    granted = [
        order_change(
            orders.GRANTED[request["event"]],
            target.number,
            request["change"],
            target.now - timedelta(microseconds=before),
        )
        for before, request in zip(
            range(len(order.requested_changes), 0, -1), order.requested_changes, strict=True
        )
    ]
    return record_order_changes(
        target, [*granted, order_change(orders.CONFIRMED, target.number, {}, target.now)]
    )


@transaction.atomic
def decline_request(*, target: OrderTarget, reason: str = "") -> IngestOutcome:
    """Decline the customer's request. A placed order does not change. Raises NoPendingRequest."""
    order = lock_open_order(target)
    if order.status != Order.Status.REQUESTED and not order.requested_changes:
        raise NoPendingRequest
    reason_property = {"reason": reason} if reason else {}
    return record_order_changes(
        target, [order_change(orders.DECLINED, target.number, reason_property, target.now)]
    )
