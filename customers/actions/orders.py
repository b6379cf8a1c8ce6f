"""Placing, amending and cancelling orders: each is an event on the customer's log.

What customers order or change themselves is a request, until staff or a source confirms it.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction

from customers.actions.changes import Author, Statement, hold, state
from customers.identity.normalize import normalize
from customers.models import Evidence, Identifier, Order
from customers.projections import orders
from customers.projections.facts import documents
from customers.types import IngestOutcome

# No I, O, 0 or 1: numbers are read out over the phone.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


_CLOSED = (Order.Status.CANCELLED, Order.Status.REFUNDED, Order.Status.DECLINED)


class NumberTaken(Exception):
    """Somebody else's order has this number."""


class NoSuchOrder(Exception):
    pass


class NoSuchLine(Exception):
    pass


class OrderClosed(Exception):
    """The order was cancelled or refunded; there is nothing left to change."""


class OnlyClaimed(Exception):
    """Nobody we trust has said anything of this order, so there is nothing yet to change."""


class NothingRequested(Exception):
    """The customer asked for nothing about this order that is not settled yet."""


class Placed(msgspec.Struct, frozen=True):
    """A new order: its number, and where it stands."""

    number: str
    outcome: IngestOutcome


def new_number() -> str:
    """Make up an order number: 40 random bits, easy to read out."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{text[:4]}-{text[4:]}"


@transaction.atomic
def place_order(
    *,
    customer_id: UUID,
    author: Author,
    number: str,
    order: Mapping[str, object],
    now: datetime,
    expected_version: int | None = None,
) -> Placed:
    """Place an order; raise NumberTaken where the number is in use or could be anybody's."""
    number = number or new_number()
    if normalize("order", number) != number:
        raise NumberTaken
    hold(f"order {number}")
    if _is_in_use(number, author):
        raise NumberTaken
    outcome = state(
        customer_id=customer_id,
        author=author,
        statements=[
            Statement(
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
    return Placed(number, outcome)


@transaction.atomic
def request_order(
    *,
    customer_id: UUID,
    author: Author,
    order: Mapping[str, object],
    now: datetime,
    expected_version: int | None = None,
) -> Placed:
    """Take down what a customer asks for: it has a number of ours, and is no order yet."""
    number = new_number()
    while Order.objects.filter(number=number).exists():
        number = new_number()
    outcome = state(
        customer_id=customer_id,
        author=author,
        statements=[_statement(orders.REQUESTED, number, order, now)],
        now=now,
        expected_version=expected_version,
    )
    return Placed(number, outcome)


class Aim(msgspec.Struct, frozen=True):
    """Which order, by whom, when, and at which version of the record (None: any)."""

    customer_id: UUID
    number: str
    author: Author
    now: datetime
    expected_version: int | None = None


@transaction.atomic
def amend_order(*, aim: Aim, change: Mapping[str, object]) -> IngestOutcome:
    """Change what is named in an order and leave the rest."""
    return _change(_open_order(aim), aim, "Order Amended", change)


@transaction.atomic
def cancel_order_line(*, aim: Aim, line: str, quantity: int | None = None) -> IngestOutcome:
    """Take a line, or some of it, out of an order; raise NoSuchLine where it is not in it."""
    order = _open_order(aim)
    _refuse_unknown(order, [line])
    some = {} if quantity is None else {"quantity": quantity}
    return _change(order, aim, "Order Line Cancelled", {"line_id": line, **some})


@transaction.atomic
def cancel_order(*, aim: Aim, reason: str = "") -> IngestOutcome:
    """Cancel an order, whole; what was only requested is declined."""
    order = _open_order(aim)
    because = {"reason": reason} if reason else {}
    if order.status == Order.Status.REQUESTED:
        return _state(aim, [_statement(orders.DECLINED, aim.number, because, aim.now)])
    return _change(order, aim, "Order Cancelled", because)


@transaction.atomic
def request_change(*, aim: Aim, name: str, change: Mapping[str, object]) -> IngestOutcome:
    """Take down a change that a customer asks for, and leave an order that stands as it is.

    name: one of customers.projections.orders.GRANTED
    """
    order = _open_order(aim)
    if order.evidence == Evidence.CLAIMED and order.status != Order.Status.REQUESTED:
        raise OnlyClaimed
    named = [line["line_id"] for line in documents(change.get("lines"))]
    _refuse_unknown(order, [*named, *([change["line_id"]] if "line_id" in change else [])])
    return _state(aim, [_statement(name, aim.number, change, aim.now)])


@transaction.atomic
def confirm_request(*, aim: Aim) -> IngestOutcome:
    """Place what the customer requested, or do what she asked to change."""
    order = _open_order(aim)
    if order.status == Order.Status.REQUESTED:
        return _state(aim, [_confirmed(order, aim)])
    if not order.requested_changes:
        raise NothingRequested
    granted = [
        _statement(
            orders.GRANTED[request["event"]],
            aim.number,
            request["change"],
            aim.now - timedelta(microseconds=before),
        )
        for before, request in zip(
            range(len(order.requested_changes), 0, -1), order.requested_changes, strict=True
        )
    ]
    return _state(aim, [*granted, _statement(orders.CONFIRMED, aim.number, {}, aim.now)])


@transaction.atomic
def decline_request(*, aim: Aim, reason: str = "") -> IngestOutcome:
    """Say no to what the customer requested; an order that stands stays as it is."""
    order = _open_order(aim)
    if order.status != Order.Status.REQUESTED and not order.requested_changes:
        raise NothingRequested
    because = {"reason": reason} if reason else {}
    return _state(aim, [_statement(orders.DECLINED, aim.number, because, aim.now)])


def _change(order: Order, aim: Aim, name: str, change: Mapping[str, object]) -> IngestOutcome:
    statements = [_statement(name, aim.number, change, aim.now)]
    if order.evidence == Evidence.CLAIMED:
        # What was only claimed does not count beside what is proved: without the whole
        # order said again, the change would be all that is left of it.
        statements.insert(0, _confirmed(order, aim))
    return _state(aim, statements)


def _statement(
    name: str, number: str, properties: Mapping[str, object], moment: datetime
) -> Statement:
    return Statement(name, f"order:{number}", {"order_id": number, **properties}, moment)


def _state(aim: Aim, statements: Sequence[Statement]) -> IngestOutcome:
    return state(
        customer_id=aim.customer_id,
        author=aim.author,
        statements=statements,
        now=aim.now,
        expected_version=aim.expected_version,
    )


def _open_order(aim: Aim) -> Order:
    # Held until it is changed: a button that is pressed twice finds it changed the second time.
    hold(f"order {aim.number}")
    order = Order.objects.filter(customer_id=aim.customer_id, number=aim.number).first()
    if order is None:
        raise NoSuchOrder
    if order.status in _CLOSED:
        raise OrderClosed
    return order


def _refuse_unknown(order: Order, wanted: Iterable[object]) -> None:
    ordered = {line["id"] for line in order.lines if line["status"] == "ordered"}
    if set(wanted) - ordered:
        raise NoSuchLine


def _confirmed(order: Order, aim: Aim) -> Statement:
    """Say a claimed order again, as one that we stand for.

    Customers cannot: their own app claims what it likes, and with it numbers and prices.
    """
    if not aim.author.actor:
        raise OnlyClaimed
    hold(f"order {order.number}")
    others = Order.objects.filter(number=order.number, evidence=Evidence.VERIFIED)
    if others.exclude(customer_id=aim.customer_id).exists():
        raise NumberTaken
    identifiers = () if _is_in_use(order.number, aim.author) else (("order", order.number),)
    moment = aim.now - timedelta(microseconds=1)
    return Statement(orders.PLACED, f"order:{order.number}", _whole(order), moment, identifiers)


def _whole(order: Order) -> dict[str, object]:
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


def _is_in_use(number: str, author: Author) -> bool:
    # A number that somebody only claims is not in use: else guessing would block the shop.
    # Of other sources, numbers that came without an order leave it free.
    own = f"{author.sender.source_id}/{number}"
    return (
        Order.objects.filter(number=number, evidence=Evidence.VERIFIED).exists()
        or Identifier.objects.filter(kind="order", value=own, evidence=Evidence.VERIFIED).exists()
    )
