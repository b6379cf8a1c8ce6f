"""Places, amends and cancels orders. Each action is an event on the customer's log.

An order or a change by the customer is a request until staff or a source confirm it.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import get_default_timezone

from customers import sql
from customers.actions.changes import ChangeAuthor, RecordChange, lock_name, record_changes
from customers.identity.normalize import normalize
from customers.models import Evidence, Identifier, Order
from customers.projections import orders
from customers.projections.order_requests import ORDER_SOURCE_ID
from customers.queries.lists import order_row
from customers.types import IngestOutcome
from customers.values.order_numbers import SUFFIX_SEPARATOR, number_of_year, sent_number

# Without I, O, 0 and 1, because people read numbers out on the phone.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


_CLOSED_STATUSES = (
    Order.Status.CANCELLED,
    Order.Status.REFUNDED,
    Order.Status.DECLINED,
    Order.Status.EXPIRED,
)


class OrderNumberInUse(Exception):
    """Another order has this number."""


class NoSuchOrder(Exception):
    """The record has no order with this number."""


class NoSuchLine(Exception):
    """The order has no line with this id, or the line is cancelled or refunded."""


class OrderClosed(Exception):
    """The order is cancelled, refunded, declined or expired, so it cannot change."""


class UnverifiedOrder(Exception):
    """No trusted source has confirmed this order, so it cannot change yet."""


class OrderPlacement(msgspec.Struct, frozen=True):
    """A new order: its number, and the outcome of its last event."""

    number: str
    outcome: IngestOutcome


def new_number() -> str:
    """Return a new order number with 40 random bits, such as "K7QM-3XWA"."""
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
    """Place an order; raise OrderNumberInUse if the number is in use or not valid."""
    number = number or new_number()
    if normalize("order", number) != number or SUFFIX_SEPARATOR in number:
        raise OrderNumberInUse
    if author.sender.has_yearly_orders:
        number = number_of_year(number, now.astimezone(get_default_timezone()).year)
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
    """The order to change, the author, the time, and the expected version (None: any)."""

    customer_id: UUID
    number: str
    author: ChangeAuthor
    now: datetime
    expected_version: int | None = None


@transaction.atomic
def amend_order(*, target: OrderTarget, change: Mapping[str, object]) -> IngestOutcome:
    """Change the given fields of an order. The other fields stay unchanged."""
    return _record_change(lock_open_order(target), target, "Order Amended", change)


@transaction.atomic
def cancel_order_line(
    *, target: OrderTarget, line: str, quantity: int | None = None
) -> IngestOutcome:
    """Cancel a line of an order, or a part of its quantity; raise NoSuchLine if it is missing."""
    order = lock_open_order(target)
    require_lines(order, [line])
    quantity_property = {} if quantity is None else {"quantity": quantity}
    return _record_change(
        order, target, "Order Line Cancelled", {"line_id": line, **quantity_property}
    )


@transaction.atomic
def cancel_order(*, target: OrderTarget, reason: str = "") -> IngestOutcome:
    """Cancel a whole order. If the order is only requested, decline the request."""
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
        # A verified change outweighs all claimed events of the order. Without this confirmation
        # of the whole order, the order would consist of the change only.
        changes.insert(0, confirmation(order, target))
    return record_order_changes(target, changes)


def order_change(
    name: str,
    number: str,
    properties: Mapping[str, object],
    moment: datetime,
    identifiers: tuple[tuple[str, str], ...] = (),
) -> RecordChange:
    """Return the change with this event name, about the order with this number."""
    number = sent_number(number)
    about, properties = f"order:{number}", {"order_id": number, **properties}
    return RecordChange(name, about, properties, moment, identifiers)


def record_order_changes(target: OrderTarget, changes: Sequence[RecordChange]) -> IngestOutcome:
    """Append these changes of an order; return the last outcome. Raises the errors of `record_changes`.

    If the record has several orders with the number, the changes name the source of the target.
    """
    if source_id := _source_among_several(target):
        changes = [
            msgspec.structs.replace(
                change, properties={**change.properties, ORDER_SOURCE_ID: source_id}
            )
            for change in changes
        ]
    return record_changes(
        customer_id=target.customer_id,
        author=target.author,
        changes=changes,
        now=target.now,
        expected_version=target.expected_version,
    )


def _source_among_several(target: OrderTarget) -> int | None:
    """Return the source that placed the order; None if no other order of the record has its number."""
    sent = sent_number(target.number)
    rows = Order.objects.filter(customer_id=target.customer_id)
    source_ids = {
        number: source_id
        for number, source_id in rows.filter(
            Q(number=sent) | Q(number__contains=SUFFIX_SEPARATOR)
        ).values_list("number", "source_id")
        if sent_number(number) == sent
    }
    return source_ids.get(target.number) if len(source_ids) > 1 else None


def lock_open_order(target: OrderTarget) -> Order:
    """Lock an order and return it. Raises NoSuchOrder, or OrderClosed if it cannot change.

    The lock lasts until the transaction ends, so that a second click finds the changed order.
    """
    order = lock_order(target)
    if order.status in _CLOSED_STATUSES:
        raise OrderClosed
    return order


def lock_order(target: OrderTarget) -> Order:
    """Lock an order and its record until the transaction ends, and return it. Raises NoSuchOrder.

    The order cannot move to another customer before the caller has appended its events.
    """
    lock_name(f"order {target.number}")
    sql.run("lock_records", {"ids": [target.customer_id]})
    order = order_row(Order.objects.filter(customer_id=target.customer_id), target.number)
    if order is None:
        raise NoSuchOrder
    return order


def require_lines(order: Order, line_ids: Iterable[object]) -> None:
    """Raise NoSuchLine if one of these ids is not an active line of the order."""
    ordered = {line["id"] for line in order.lines if line["status"] == "ordered"}
    if set(line_ids) - ordered:
        raise NoSuchLine


def confirmation(order: Order, target: OrderTarget) -> RecordChange:
    """Return the event that places a claimed order again, as a verified order.

    Raises UnverifiedOrder for customers, because the app of a customer can claim any number and
    any price. Raises OrderNumberInUse if another customer has a verified order with the number.
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
    # A claimed number does not count as in use. Otherwise, guessed numbers would block the shop.
    # A number that another source sent without an order does not count either.
    own_value = f"{author.sender.source_id}/{number}"
    return (
        Order.objects.filter(number=number, evidence=Evidence.VERIFIED).exists()
        or Identifier.objects.filter(
            kind="order", value=own_value, evidence=Evidence.VERIFIED
        ).exists()
    )
