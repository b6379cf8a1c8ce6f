"""Placing, amending and cancelling orders: each is an event on the customer's log.

What customers order or change themselves is a request, until staff or a source confirms it.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction

from customers.actions.changes import ChangeAuthor, RecordChange, lock_name, record_changes
from customers.identity.normalize import normalize
from customers.models import Evidence, Identifier, Order
from customers.projections import orders
from customers.projections.facts import documents
from customers.types import IngestOutcome

# No I, O, 0 or 1: numbers are read out over the phone.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


_CLOSED_STATUSES = (Order.Status.CANCELLED, Order.Status.REFUNDED, Order.Status.DECLINED)


class OrderNumberInUse(Exception):
    """Another order has this number."""


class NoSuchOrder(Exception):
    pass


class NoSuchLine(Exception):
    pass


class OrderClosed(Exception):
    """The order was cancelled or refunded; there is nothing left to change."""


class UnverifiedOrder(Exception):
    """No trusted source has confirmed this order, so there is nothing yet to change."""


class NoPendingRequest(Exception):
    """The customer has no open request about this order."""


class OrderPlacement(msgspec.Struct, frozen=True):
    """A new order: its number, and the outcome of its last event."""

    number: str
    outcome: IngestOutcome


def new_number() -> str:
    """Generate an order number: 40 random bits, easy to read out."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{text[:4]}-{text[4:]}"


@transaction.atomic
def place_order(
    *,
    customer_id: UUID,
    author: ChangeAuthor,
    number: str,
    order: Mapping[str, object],
    now: datetime,
    expected_version: int | None = None,
) -> OrderPlacement:
    """Place an order; raise OrderNumberInUse where the number is in use or not valid."""
    number = number or new_number()
    if normalize("order", number) != number:
        raise OrderNumberInUse
    lock_name(f"order {number}")
    if _is_in_use(number, author):
        raise OrderNumberInUse
    outcome = record_changes(
        customer_id=customer_id,
        author=author,
        changes=[
            RecordChange(
                name=orders.PLACED,
                about=f"order:{number}",
                properties={"order_id": number, **order},
                occurred_at=now,
                identifiers=(("order", number),),
            )
        ],
        now=now,
        expected_version=expected_version,
    )
    return OrderPlacement(number, outcome)


@transaction.atomic
def request_order(
    *,
    customer_id: UUID,
    author: ChangeAuthor,
    order: Mapping[str, object],
    now: datetime,
    expected_version: int | None = None,
) -> OrderPlacement:
    """Record what a customer asks for: it has a number of ours, and is no order yet."""
    number = new_number()
    while Order.objects.filter(number=number).exists():
        number = new_number()
    outcome = record_changes(
        customer_id=customer_id,
        author=author,
        changes=[_order_change(orders.REQUESTED, number, order, now)],
        now=now,
        expected_version=expected_version,
    )
    return OrderPlacement(number, outcome)


class OrderTarget(msgspec.Struct, frozen=True):
    """Which order, by whom, when, and at which version of the record (None: any)."""

    customer_id: UUID
    number: str
    author: ChangeAuthor
    now: datetime
    expected_version: int | None = None


@transaction.atomic
def amend_order(*, target: OrderTarget, change: Mapping[str, object]) -> IngestOutcome:
    """Change what is named in an order and leave the rest."""
    return _record_change(_open_order(target), target, "Order Amended", change)


@transaction.atomic
def cancel_order_line(
    *, target: OrderTarget, line: str, quantity: int | None = None
) -> IngestOutcome:
    """Take a line, or some of it, out of an order; raise NoSuchLine where it is not in it."""
    order = _open_order(target)
    _require_lines(order, [line])
    quantity_property = {} if quantity is None else {"quantity": quantity}
    return _record_change(
        order, target, "Order Line Cancelled", {"line_id": line, **quantity_property}
    )


@transaction.atomic
def cancel_order(*, target: OrderTarget, reason: str = "") -> IngestOutcome:
    """Cancel an order, whole; what was only requested is declined."""
    order = _open_order(target)
    reason_property = {"reason": reason} if reason else {}
    if order.status == Order.Status.REQUESTED:
        return _record(
            target, [_order_change(orders.DECLINED, target.number, reason_property, target.now)]
        )
    return _record_change(order, target, "Order Cancelled", reason_property)


@transaction.atomic
def request_change(
    *, target: OrderTarget, name: str, change: Mapping[str, object]
) -> IngestOutcome:
    """Record a change that a customer asks for, and leave a placed order as it is.

    name: one of customers.projections.orders.GRANTED
    """
    order = _open_order(target)
    if order.evidence == Evidence.CLAIMED and order.status != Order.Status.REQUESTED:
        raise UnverifiedOrder
    line_ids = [line["line_id"] for line in documents(change.get("lines"))]
    _require_lines(order, [*line_ids, *([change["line_id"]] if "line_id" in change else [])])
    return _record(target, [_order_change(name, target.number, change, target.now)])


@transaction.atomic
def confirm_request(*, target: OrderTarget) -> IngestOutcome:
    """Place what the customer requested, or do what she asked to change."""
    order = _open_order(target)
    if order.status == Order.Status.REQUESTED:
        return _record(target, [_confirmation(order, target)])
    if not order.requested_changes:
        raise NoPendingRequest
    granted = [
        _order_change(
            orders.GRANTED[request["event"]],
            target.number,
            request["change"],
            target.now - timedelta(microseconds=before),
        )
        for before, request in zip(
            range(len(order.requested_changes), 0, -1), order.requested_changes, strict=True
        )
    ]
    return _record(
        target, [*granted, _order_change(orders.CONFIRMED, target.number, {}, target.now)]
    )


@transaction.atomic
def decline_request(*, target: OrderTarget, reason: str = "") -> IngestOutcome:
    """Decline what the customer requested; a placed order stays as it is."""
    order = _open_order(target)
    if order.status != Order.Status.REQUESTED and not order.requested_changes:
        raise NoPendingRequest
    reason_property = {"reason": reason} if reason else {}
    return _record(
        target, [_order_change(orders.DECLINED, target.number, reason_property, target.now)]
    )


def _record_change(
    order: Order, target: OrderTarget, name: str, change: Mapping[str, object]
) -> IngestOutcome:
    changes = [_order_change(name, target.number, change, target.now)]
    if order.evidence == Evidence.CLAIMED:
        # What was only claimed does not count beside what is proved: without the whole
        # order said again, the change would be all that is left of it.
        changes.insert(0, _confirmation(order, target))
    return _record(target, changes)


def _order_change(
    name: str, number: str, properties: Mapping[str, object], moment: datetime
) -> RecordChange:
    return RecordChange(name, f"order:{number}", {"order_id": number, **properties}, moment)


def _record(target: OrderTarget, changes: Sequence[RecordChange]) -> IngestOutcome:
    return record_changes(
        customer_id=target.customer_id,
        author=target.author,
        changes=changes,
        now=target.now,
        expected_version=target.expected_version,
    )


def _open_order(target: OrderTarget) -> Order:
    # Until it is changed: a button that is pressed twice finds it changed the second time.
    lock_name(f"order {target.number}")
    order = Order.objects.filter(customer_id=target.customer_id, number=target.number).first()
    if order is None:
        raise NoSuchOrder
    if order.status in _CLOSED_STATUSES:
        raise OrderClosed
    return order


def _require_lines(order: Order, line_ids: Iterable[object]) -> None:
    ordered = {line["id"] for line in order.lines if line["status"] == "ordered"}
    if set(line_ids) - ordered:
        raise NoSuchLine


def _confirmation(order: Order, target: OrderTarget) -> RecordChange:
    """Return the event that places a claimed order again, as a verified one.

    Customers cannot: their own app claims what it likes, also numbers and prices.
    """
    if not target.author.actor:
        raise UnverifiedOrder
    lock_name(f"order {order.number}")
    others = Order.objects.filter(number=order.number, evidence=Evidence.VERIFIED)
    if others.exclude(customer_id=target.customer_id).exists():
        raise OrderNumberInUse
    identifiers = () if _is_in_use(order.number, target.author) else (("order", order.number),)
    moment = target.now - timedelta(microseconds=1)
    return RecordChange(
        orders.PLACED, f"order:{order.number}", _order_properties(order), moment, identifiers
    )


def _order_properties(order: Order) -> dict[str, object]:
    lines = [
        {**line.pop("details", {}), **line, "line_id": line["id"]}
        for line in (dict(line) for line in order.lines)
        if line["status"] == "ordered"
    ]
    return {
        "order_id": order.number,
        "currency": order.currency,
        "total": str(order.total),
        "visit_date": order.visit_date,
        "visit_time": order.visit_time,
        "party": order.party,
        "lines": lines,
        **order.details,
    }


def _is_in_use(number: str, author: ChangeAuthor) -> bool:
    # A number that somebody only claims is not in use: else guessing would block the shop.
    # Of other sources, numbers that came without an order leave it free.
    own_value = f"{author.sender.source_id}/{number}"
    return (
        Order.objects.filter(number=number, evidence=Evidence.VERIFIED).exists()
        or Identifier.objects.filter(
            kind="order", value=own_value, evidence=Evidence.VERIFIED
        ).exists()
    )
