"""Requests of customers about orders, and the answers of staff, sources and rules.

Each request and each answer is an event on the customer's log.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from customers.actions import order_rules
from customers.actions.changes import (
    ChangeAuthor,
    RecordChange,
    UnreachableRecord,
    record_changes,
)
from customers.actions.order_rules import RuledOrder
from customers.actions.orders import (
    OrderPlacement,
    OrderTarget,
    UnverifiedOrder,
    confirmation,
    lock_open_order,
    lock_order,
    new_number,
    order_change,
    record_order_changes,
    require_lines,
)
from customers.events import internal_sources
from customers.models import Event, Evidence, Order, Source
from customers.projections import order_requests, orders
from customers.projections.order_requests import REQUEST_ID, OrderRequest
from customers.projections.projected_events import parse_objects
from customers.types import CUSTOMER_SOURCES, STAFF_SOURCES, IngestOutcome, Sender
from customers.values.order_numbers import SUFFIX_SEPARATOR
from customers.values.times import written_instant

# The maximum number of open requests of one order, and the maximum size of one in bytes of JSON.
MAX_PENDING_REQUESTS = 20
MAX_REQUEST_SIZE = 16 * 1024
# The actor of a change that a rule of the company grants (customers.actions.order_rules).
RULE_ACTOR = "rule"


class TooManyPendingRequests(Exception):
    """The order has MAX_PENDING_REQUESTS open requests, so that no other one is stored."""


class RequestTooLarge(Exception):
    """The request has more than MAX_REQUEST_SIZE bytes of JSON."""


class NoPendingRequest(Exception):
    """The customer has no open request about this order."""


class OtherSource(Exception):
    """The source neither placed the order nor owns the space of the source that did."""


class AlreadyAnswered(Exception):
    """The request has another answer already."""

    def __init__(self, request: OrderRequest) -> None:
        super().__init__(request.id)
        self.request = request


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
    """Record the request of a customer to change an order. A rule of the company may grant it at once.

    name: the event of the request, one of customers.projections.orders.CHANGE_OF_REQUEST

    Raises the errors of `lock_open_order` and `require_lines`, UnverifiedOrder, RequestTooLarge and
    TooManyPendingRequests.
    """
    if len(msgspec.json.encode(change)) > MAX_REQUEST_SIZE:
        raise RequestTooLarge
    order = lock_open_order(target)
    if len(order.requested_changes) >= MAX_PENDING_REQUESTS:
        raise TooManyPendingRequests
    if order.evidence == Evidence.CLAIMED and not order.requests:
        raise UnverifiedOrder
    line_ids = [line["line_id"] for line in parse_objects(change.get("lines"))]
    require_lines(order, [*line_ids, *([change["line_id"]] if "line_id" in change else [])])
    outcome = record_order_changes(target, [order_change(name, target.number, change, target.now)])
    if order.status == Order.Status.REQUESTED or not _is_granted_by_rule(
        order, name, change, target
    ):
        return outcome
    return _grant_by_rule(target, {request.id for request in _read_requests(order)})


def _is_granted_by_rule(
    order: Order, name: str, change: Mapping[str, object], target: OrderTarget
) -> bool:
    return order_rules.grants(
        order_rules.current_rules(),
        name,
        change,
        RuledOrder(order.visit_date, order.visit_time, order.party),
        now=target.now,
        zone=timezone.get_default_timezone(),
    )


def _grant_by_rule(target: OrderTarget, earlier_ids: set[str]) -> IngestOutcome:
    """Confirm the request that was recorded just now."""
    order = lock_order(target)
    granted = [request for request in _read_requests(order) if request.id not in earlier_ids]
    return _make_requested_changes(_as_butler(target, RULE_ACTOR), order, granted)


def _as_butler(target: OrderTarget, actor: str) -> OrderTarget:
    # A few microseconds later, so that each event of the answer has a later time than the request.
    return msgspec.structs.replace(
        target,
        author=ChangeAuthor(internal_sources.BUTLER, actor),
        now=target.now + timedelta(microseconds=3),
        expected_version=None,
    )


@transaction.atomic
def confirm_request(*, target: OrderTarget, request_id: str = "") -> IngestOutcome:
    """Confirm requests of a customer: place the order, or make the requested changes.

    request_id: one request; "" for all open requests of the order

    If the named request is confirmed already, nothing is stored. Raises NoPendingRequest, OtherSource or
    AlreadyAnswered.
    """
    return _answer(
        target,
        request_id,
        order_requests.CONFIRMED,
        lambda order, requests: _make_requested_changes(target, order, requests),
    )


def _answer(
    target: OrderTarget,
    request_id: str,
    answer: str,
    store: Callable[[Order, Sequence[OrderRequest]], IngestOutcome],
) -> IngestOutcome:
    """Store an answer to the open requests; if the named one has this answer already, nothing."""
    order = _lock_answerable_order(target)
    requests = _open_requests(order, request_id)
    if not requests and request_id:
        return _repeated_answer(order, request_id, answer)
    if not requests and order.status != Order.Status.REQUESTED:
        raise NoPendingRequest
    return store(order, requests)


def _make_requested_changes(
    target: OrderTarget, order: Order, requests: Sequence[OrderRequest]
) -> IngestOutcome:
    if order.status == Order.Status.REQUESTED:
        return record_order_changes(target, [confirmation(order, target)])
    changes: list[RecordChange] = []
    for before, request in zip(range(len(requests), 0, -1), requests, strict=True):
        properties = {**request.change, REQUEST_ID: request.id}
        moment = target.now - timedelta(microseconds=2 * before)
        name = orders.CHANGE_OF_REQUEST[request.event]
        changes += [
            order_change(name, target.number, properties, moment),
            order_change(
                orders.CONFIRMED,
                target.number,
                {REQUEST_ID: request.id},
                moment + timedelta(microseconds=1),
            ),
        ]
    return record_order_changes(target, changes)


@transaction.atomic
def decline_request(
    *, target: OrderTarget, reason: str = "", request_id: str = ""
) -> IngestOutcome:
    """Decline requests of a customer. A placed order does not change.

    request_id: one request; "" for all open requests of the order

    If the named request is declined already, nothing is stored. Raises NoPendingRequest, OtherSource or
    AlreadyAnswered.
    """
    properties = {"reason": reason} if reason else {}
    if request_id:
        properties[REQUEST_ID] = request_id
    declined = order_change(orders.DECLINED, target.number, properties, target.now)
    return _answer(
        target,
        request_id,
        order_requests.DECLINED,
        lambda *_: record_order_changes(target, [declined]),
    )


def find_order(request_id: UUID) -> Order | None:
    """Return the order that a request is about; None if there is no such request."""
    about = Event.objects.filter(message_key=request_id).values_list("about", flat=True).first()
    if about is None:
        return None
    number = about.removeprefix(orders.PREFIX)
    with_number = Order.objects.filter(
        Q(number=number) | Q(number__startswith=number + SUFFIX_SEPARATOR)
    )
    return with_number.filter(requests__contains=[{"id": str(request_id)}]).first()


def may_answer(order: Order, sender: Sender) -> bool:
    """Tell whether a sender may answer requests about an order.

    The rule is that of customers.projections.order_requests.may_answer, which decides again in the fold.
    """
    if sender.name in CUSTOMER_SOURCES:
        return False
    if sender.name in STAFF_SOURCES or order.source_id in (None, sender.source_id):
        return True
    placer = Source.objects.filter(pk=order.source_id, space_id=sender.space_id)
    return sender.is_owner and placer.exists()


def _lock_answerable_order(target: OrderTarget) -> Order:
    order = lock_order(target)
    if not may_answer(order, target.author.sender):
        raise OtherSource
    return order


def _open_requests(order: Order, request_id: str) -> list[OrderRequest]:
    return [
        request
        for request in _read_requests(order)
        if request.is_open and request_id in ("", request.id)
    ]


def _repeated_answer(order: Order, request_id: str, answer: str) -> IngestOutcome:
    """Return the outcome of an answer that is stored already.

    Raises NoPendingRequest, or AlreadyAnswered if the request has another answer.
    """
    request = next((request for request in _read_requests(order) if request.id == request_id), None)
    if request is None:
        raise NoPendingRequest
    if request.state != answer:
        raise AlreadyAnswered(request)
    return IngestOutcome("duplicate", order.customer_id, order.version)


def _read_requests(order: Order) -> list[OrderRequest]:
    return msgspec.convert(order.requests, list[OrderRequest])


def expire_requests(*, now: datetime, limit: int) -> int:
    """Expire the requests that waited too long; return the number of their orders.

    limit: the maximum number of orders
    """
    limit_time = now - order_rules.current_rules().expires_after
    overdue = Order.objects.filter(asked_at__lte=limit_time).order_by("asked_at", "number")[:limit]
    targets = [
        OrderTarget(
            order.customer_id, order.number, ChangeAuthor(internal_sources.BUTLER, "expiry"), now
        )
        for order in overdue
    ]
    return sum(_expire_order(target, limit_time) for target in targets)


@transaction.atomic
def _expire_order(target: OrderTarget, limit_time: datetime) -> bool:
    """Expire the overdue requests of an order; return whether it had some."""
    order = lock_order(target)
    overdue = [
        request
        for request in _read_requests(order)
        if request.is_open and written_instant(request.requested_at) <= limit_time
    ]
    changes = [
        order_change(orders.EXPIRED, target.number, {REQUEST_ID: request.id}, target.now)
        for request in overdue
    ]
    try:
        if changes:
            record_order_changes(target, changes)
    except UnreachableRecord:
        # The customer's only identifier was erased or is shared, so no event reaches the record.
        return False
    return bool(changes)
