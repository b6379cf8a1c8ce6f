"""An order for the console. The functions convert shapes to values; no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from channels.console.presenters import labels
from channels.pages.presenters.orders import (
    RequestCard,
    line_names,
    line_total,
    order_total,
    refunded_total,
    request_card,
    request_cards,
)
from customers.projections.order_requests import OrderRequest
from customers.queries.open_requests import OpenOrderRequestShape
from customers.queries.shapes import OrderShape, decode_stored
from customers.types import OPEN_ORDER_STATUSES
from customers.values.amounts import read_amount


@dataclass(frozen=True, slots=True)
class StaffOrderLine:
    id: str
    name: str
    # None if it is not known.
    quantity: int | None
    price: str
    total: str
    is_removed: bool
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StaffOrder:
    """One order on a console page."""

    number: str
    name: str
    status: str
    is_open: bool
    is_requested: bool
    # True if the order is confirmed and for a visit.
    has_tickets: bool
    # The open requests of the customer.
    open_requests: Sequence[RequestCard]
    visit_date: date | None
    visit_time: time | None
    total: str
    # True if the source stated no readable total.
    is_total_of_lines: bool
    # The amount that was paid back; empty if nothing was.
    refunded: str
    # Sentences about the unreadable values in the events of the order.
    doubts: Sequence[str]
    amount: Decimal
    currency: str
    channel: str
    changed_by: str
    changed_at: datetime
    is_verified: bool
    guests: Sequence[str]
    lines: Sequence[StaffOrderLine]
    version: int


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One open request in the list of all customers."""

    customer_id: UUID
    name: str
    number: str
    request: RequestCard


def request_row(request: OpenOrderRequestShape, name: str) -> RequestRow:
    """Return the row of an open request.

    name: the name of the customer
    """
    fields = {
        "id": request.id,
        "event": request.event,
        "change": decode_stored(request.change, {}),
        "requested_at": request.requested_at.isoformat(),
        "state": "asked",
        "reason": request.reason,
    }
    names = line_names(decode_stored(request.lines, []))
    card = request_card(fields, names, for_staff=True)
    return RequestRow(request.customer, name, request.number, card)


def answered_text(request: OrderRequest) -> str:
    """Return the sentence about the answer of another person or source, and its author."""
    name = labels.actor_name(request.decided_by)
    return f"This request was {request.state} before by {name}. Load the record again."


def staff_order(order: OrderShape) -> StaffOrder:
    """Return one order for a console page."""
    details = decode_stored(order.details, {})
    return StaffOrder(
        number=order.number,
        name=str(details.get("name") or ""),
        status=labels.ORDER_STATUSES.get(order.status, order.status),
        is_open=order.status in (*OPEN_ORDER_STATUSES, "requested"),
        is_requested=order.status == "requested",
        has_tickets=(
            order.is_verified
            and order.status in OPEN_ORDER_STATUSES
            and order.visit_date is not None
        ),
        open_requests=[
            request for request in request_cards(order, for_staff=True) if request.is_open
        ],
        visit_date=order.visit_date,
        visit_time=order.visit_time,
        total=order_total(order),
        is_total_of_lines=order.is_total_of_lines,
        refunded=refunded_total(order),
        doubts=_doubts(order),
        amount=order.total,
        currency=order.currency,
        channel=labels.source_channel(order.channel),
        changed_by=labels.actor_name(order.changed_by),
        changed_at=order.changed_at,
        is_verified=order.is_verified,
        guests=[
            str(guest["name"]) for guest in decode_stored(order.party, []) if guest.get("name")
        ],
        lines=[_order_line(line, order.currency) for line in decode_stored(order.lines, [])],
        version=order.version,
    )


def _doubts(order: OrderShape) -> list[str]:
    """Return one sentence for each part of an order that Butler could not read."""
    lines = decode_stored(order.lines, [])
    doubts = [
        *decode_stored(order.doubts, {}).values(),
        *(doubt for line in lines for doubt in (line.get("doubts") or {}).values()),
    ]
    sentences = [labels.ORDER_DOUBTS[doubt] for doubt in doubts if doubt in labels.ORDER_DOUBTS]
    return list(dict.fromkeys(sentences))


def _order_line(line: dict[str, Any], currency: str) -> StaffOrderLine:
    return StaffOrderLine(
        id=str(line.get("id") or ""),
        name=str(line.get("name") or line.get("product") or line.get("id") or ""),
        quantity=line.get("quantity"),
        price=str(line.get("unit_price") or ""),
        total=line_total(line, currency),
        is_removed=line.get("status") != "ordered",
        amount=read_amount(line.get("total"), currency).value or Decimal(0),
    )
