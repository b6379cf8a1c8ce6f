"""Orders for the customer's page. No database, no request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from channels.pages.money import format_money
from channels.pages.presenters import events, labels
from channels.pages.presenters.labels import translated
from customers.queries.shapes import OrderShape, decode_stored
from customers.values.amounts import read_amount
from customers.values.times import written_instant


@dataclass(frozen=True, slots=True)
class OrderCardLine:
    name: str
    # None if it is not known.
    quantity: int | None
    total: str
    status: str
    is_removed: bool


@dataclass(frozen=True, slots=True)
class RequestCard:
    """One request of a customer about an order, with its state."""

    id: str
    text: str
    state: str
    # The reason of a declined request, or a note that the order changed while the request was open.
    reason: str
    requested_at: datetime
    is_open: bool
    is_refused: bool


@dataclass(frozen=True, slots=True)
class OrderCard:
    """One order on the customer's page."""

    number: str
    name: str
    status: str
    is_closed: bool
    is_requested: bool
    # The requests of the customer about the order, the newest first.
    requests: Sequence[RequestCard]
    channel: str
    visit_date: date | None
    visit_time: time | None
    guests: Sequence[str]
    lines: Sequence[OrderCardLine]
    total: str
    # The amount that was paid back; empty if nothing was.
    refunded: str
    is_next: bool
    scanned_at: datetime | None


def order_card(
    order: OrderShape, *, is_next: bool = False, scanned_at: datetime | None = None
) -> OrderCard:
    """Return the card of an order; `scanned_at` is the time of the last scan at the gate."""
    details = decode_stored(order.details, {})
    lines = decode_stored(order.lines, [])
    return OrderCard(
        number=order.number,
        name=str(details.get("name") or ""),
        status=translated(labels.ORDER_STATUSES, order.status),
        is_closed=order.status in ("cancelled", "refunded", "declined", "expired"),
        is_requested=order.status == "requested",
        requests=request_cards(order),
        channel=translated(labels.SOURCE_CHANNELS, order.channel),
        visit_date=order.visit_date,
        visit_time=order.visit_time,
        guests=[
            str(guest["name"]) for guest in decode_stored(order.party, []) if guest.get("name")
        ],
        lines=[_line(line, order.currency) for line in lines],
        total=order_total(order),
        refunded=refunded_total(order),
        is_next=is_next,
        scanned_at=scanned_at,
    )


def order_total(order: OrderShape) -> str:
    """Return the total of an order, or a text if the order is a request without a price."""
    is_request = order.status in ("requested", "declined", "expired")
    lines = decode_stored(order.lines, [])
    has_price = bool(order.total) or any(_has_price(line) for line in lines)
    if is_request and not has_price:
        return _("price not confirmed")
    if order.is_total_of_lines and not has_price:
        return _("price not known")
    return format_money(str(order.total), order.currency)


def refunded_total(order: OrderShape) -> str:
    """Return what was paid back of an order; empty if nothing was, or if the amounts are unknown."""
    refunds = decode_stored(order.refunds, [])
    amounts = [read_amount(refund.get("amount"), order.currency).value for refund in refunds]
    total = sum((amount for amount in amounts if amount is not None), Decimal(0))
    return format_money(str(total), order.currency) if total else ""


def line_total(line: dict[str, Any], currency: str) -> str:
    """Return the total of an order line; empty if the line has no price."""
    return format_money(str(line.get("total") or ""), currency) if _has_price(line) else ""


def _has_price(line: dict[str, Any]) -> bool:
    return line.get("unit_price") is not None


def request_cards(order: OrderShape, *, for_staff: bool = False) -> list[RequestCard]:
    """Return the requests of the customer about an order, the newest first."""
    names = line_names(decode_stored(order.lines, []))
    return [
        request_card(request, names, for_staff=for_staff)
        for request in reversed(decode_stored(order.requests, []))
    ]


def request_card(
    request: Mapping[str, Any], names: Mapping[str, str], *, for_staff: bool = False
) -> RequestCard:
    """Return one request about an order.

    names: the names of the lines of the order, by id
    """
    headline = events.headline("track", str(request["event"]), {}, for_staff=for_staff)
    change = events.requested_change(request["change"], names)
    state, reason = str(request["state"]), str(request["reason"])
    if for_staff:
        reason = labels.STAFF_REQUEST_REASONS.get(reason, reason)
    else:
        reason = translated(labels.REQUEST_REASONS, reason)
    return RequestCard(
        id=str(request["id"]),
        text=f"{headline}: {change}" if change else headline,
        state=state if for_staff else translated(labels.REQUEST_STATES, state),
        reason=reason,
        requested_at=written_instant(str(request["requested_at"])),
        is_open=state == "asked",
        is_refused=state in ("declined", "expired"),
    )


def line_names(lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of order lines, by id."""
    return {str(line.get("id")): str(line.get("name") or line.get("product")) for line in lines}


def _line(line: dict[str, Any], currency: str) -> OrderCardLine:
    return OrderCardLine(
        name=str(line.get("name") or line.get("product") or line.get("id")),
        quantity=line.get("quantity"),
        total=line_total(line, currency),
        status=translated(labels.ORDER_STATUSES, str(line.get("status"))),
        is_removed=line.get("status") != "ordered",
    )
