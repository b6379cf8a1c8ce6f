"""The live orders, visits and requests of a customer, which permit service messages. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from butler.types import Relation
from customers.types import OPEN_ORDER_STATUSES
from customers.values.order_numbers import sent_number
from customers.values.times import is_in_reach

# The time after the visit in which an order permits service messages, and the time after its
# placement for an order without a date.
AFTER_VISIT = timedelta(days=14)
WITHOUT_DATE = timedelta(days=90)
# The time in which Butler may confirm a cancelled order and answer a closed request.
AFTER_END = timedelta(days=7)
# The time before and after the day of the visit, for the journeys of the guest.
AROUND_VISIT = timedelta(hours=12)
_DAY = timedelta(days=1)
# Orders and requests that ended longer ago than this are not read.
REACH = WITHOUT_DATE + AFTER_VISIT


class OrderFact(msgspec.Struct, frozen=True, array_like=True):
    """The columns of an order that decide how long it permits service messages."""

    number: str
    status: str
    placed_at: datetime
    changed_at: datetime
    visit_date: date | None


class RequestFact(msgspec.Struct, frozen=True, array_like=True):
    """The columns of a request that decide how long it permits messages."""

    reference: str
    status: str
    opened_at: datetime
    closed_at: datetime | None


def relations(
    orders: Iterable[OrderFact], requests: Iterable[RequestFact], zone: ZoneInfo
) -> dict[str, Relation]:
    """Return the live relations by name: "order:A-1001", "visit:2027-04-18", "request:7"."""
    by_name: dict[str, Relation] = {}
    orders = list(orders)
    for order in orders:
        by_name.update(_of_order(order, zone))
    for order in orders:
        # Events name the number without its place: `1001` for `1001·2`.
        sent, shown = f"order:{sent_number(order.number)}", f"order:{order.number}"
        by_name.setdefault(sent, by_name[shown])
    for request in requests:
        until = (
            request.closed_at + AFTER_END if request.closed_at else request.opened_at + WITHOUT_DATE
        )
        name = f"request:{request.reference}"
        by_name[name] = Relation("request", request.opened_at, until, name)
    return by_name


def _of_order(order: OrderFact, zone: ZoneInfo) -> Iterator[tuple[str, Relation]]:
    name = f"order:{order.number}"
    is_open = order.status in OPEN_ORDER_STATUSES
    if not is_open:
        yield name, Relation("order", order.placed_at, order.changed_at + AFTER_END, name)
        return
    if order.visit_date is None or not is_in_reach(order.visit_date):
        yield name, Relation("order", order.placed_at, order.placed_at + WITHOUT_DATE, name)
        return
    begins = datetime.combine(order.visit_date, time(), tzinfo=zone)
    ends = begins + _DAY
    until = max(ends, order.placed_at) + AFTER_VISIT
    yield name, Relation("order", order.placed_at, until, name)
    around = Relation("visit", begins - AROUND_VISIT, ends + AROUND_VISIT, name)
    yield f"visit:{order.visit_date.isoformat()}", around
