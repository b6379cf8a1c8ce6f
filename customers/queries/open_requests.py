"""Requests of customers about orders that wait for an answer."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import Q

from customers.models import Order, Source
from customers.queries.pages import Page, read_page
from customers.queries.shapes import JsonObject, Shape, StoredOrderLines
from customers.types import Sender
from customers.values.times import written_instant


class OpenOrderRequestShape(Shape, frozen=True):
    """One request about an order that nobody has answered yet."""

    id: UUID
    customer: UUID
    number: str
    event: str
    change: JsonObject
    # The lines of the order, which the change may name by their ids.
    lines: StoredOrderLines
    requested_at: datetime
    # "order-changed" if the order changed after the request; else empty.
    reason: str


def open_order_requests(
    sender: Sender | None, *, cursor: str | None, limit: int
) -> Page[OpenOrderRequestShape]:
    """Return a page of open requests, the newest first. A page has the requests of `limit` orders.

    sender: the source that reads them, which gets those that it may answer; None for staff
    """
    rows = Order.objects.filter(asked_at__isnull=False)
    if sender:
        may_answer = Q(source_id=None) | Q(source_id=sender.source_id)
        if sender.is_owner:
            space = Source.objects.filter(space_id=sender.space_id)
            may_answer |= Q(source_id__in=space.values("pk"))
        rows = rows.filter(may_answer)
    page = read_page(
        rows,
        order_by={"asked_at": datetime, "number": str, "customer_id": UUID},
        to_shape=_open_requests,
        cursor=cursor,
        limit=limit,
    )
    requests = [request for of_order in page.results for request in of_order]
    return Page(requests, page.next, page.previous)


def count_orders_with_requests() -> int:
    """Return the number of orders with an open request."""
    return Order.objects.filter(asked_at__isnull=False).count()


def _open_requests(order: Order) -> list[OpenOrderRequestShape]:
    return [
        OpenOrderRequestShape(
            id=UUID(request["id"]),
            customer=order.customer_id,
            number=order.number,
            event=request["event"],
            change=msgspec.Raw(msgspec.json.encode(request["change"])),
            lines=msgspec.Raw(msgspec.json.encode(order.lines)),
            requested_at=written_instant(request["requested_at"]),
            reason=request["reason"],
        )
        for request in order.requests
        if request["state"] == "asked"
    ]
