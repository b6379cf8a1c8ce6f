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
    placed = order_change(orders.PLACED, number, order, now, (("order", number),))
    outcome = record_changes(
        customer_id=customer_id,
        author=author,
        changes=[placed],
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
    return _record_change(lock_open_order(target), target, "Order Amended", change)


@transaction.atomic
def cancel_order_line(
    *, target: OrderTarget, line: str, quantity: int | None = None
) -> IngestOutcome:
    """Take a line, or some of it, out of an order; raise NoSuchLine where it is not in it."""
    order = lock_open_order(target)
    require_lines(order, [line])
    quantity_property = {} if quantity is None else {"quantity": quantity}
    return _record_change(
        order, target, "Order Line Cancelled", {"line_id": line, **quantity_property}
    )


@transaction.atomic
def cancel_order(*, target: OrderTarget, reason: str = "") -> IngestOutcome:
    """Cancel an order, whole; what was only requested is declined."""
    order = lock_open_order(target)
    reason_property = {"reason": reason} if reason else {}
    if order.status == Order.Status.REQUESTED:
        return record_order_changes(
            target, [order_change(orders.DECLINED, target.number, reason_property, target.now)]
        )
    return _record_change(order, target, "Order Cancelled", reason_property)


def _record_change(
    order: Order, target: OrderTarget, name: str, change: Mapping[str, object]
) -> IngestOutcome:
    changes = [order_change(name, target.number, change, target.now)]
    if order.evidence == Evidence.CLAIMED:
        # What was only claimed does not count beside what is proved: without the whole
        # order said again, the change would be all that is left of it.
        changes.insert(0, confirmation(order, target))
    return record_order_changes(target, changes)


def order_change(
    name: str,
    number: str,
    properties: Mapping[str, object],
    moment: datetime,
    identifiers: tuple[tuple[str, str], ...] = (),
) -> RecordChange:
    """Return the event of that name about the order of that number."""
    about, properties = f"order:{number}", {"order_id": number, **properties}
    return RecordChange(name, about, properties, moment, identifiers)


def record_order_changes(target: OrderTarget, changes: Sequence[RecordChange]) -> IngestOutcome:
    return record_changes(
        customer_id=target.customer_id,
        author=target.author,
        changes=changes,
        now=target.now,
        expected_version=target.expected_version,
    )


def lock_open_order(target: OrderTarget) -> Order:
    # Until it is changed: a button that is pressed twice finds it changed the second time.
    lock_name(f"order {target.number}")
    order = Order.objects.filter(customer_id=target.customer_id, number=target.number).first()
    if order is None:
        raise NoSuchOrder
    if order.status in _CLOSED_STATUSES:
        raise OrderClosed
    return order


def require_lines(order: Order, line_ids: Iterable[object]) -> None:
    ordered = {line["id"] for line in order.lines if line["status"] == "ordered"}
    if set(line_ids) - ordered:
        raise NoSuchLine


def confirmation(order: Order, target: OrderTarget) -> RecordChange:
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
    return order_change(orders.PLACED, order.number, _order_properties(order), moment, identifiers)


def _order_properties(order: Order) -> dict[str, object]:
    lines = [
        {**line.pop("details", {}), **line, "line_id": line["id"]}
        for line in (dict(line) for line in order.lines)
        if line["status"] == "ordered"
    ]
    return {
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
