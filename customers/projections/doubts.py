"""The doubts about the properties of one event, for the warnings to its sender. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC

from customers.projections import orders, parties, requests
from customers.projections.order_refunds import read_refund
from customers.projections.order_statements import read_order
from customers.values.times import UNREADABLE_DATE, read_date, read_instant

UNREADABLE_TIME_PROPERTY = "unreadable_wanted_at"

type Properties = Mapping[str, object]


def find_doubts(name: str, properties: Properties) -> tuple[str, ...]:
    """Return the codes of what Butler cannot read in an event of this name, each once."""
    find = _FINDERS.get(name)
    return tuple(dict.fromkeys(find(properties))) if find else ()


def _of_order(properties: Properties) -> Iterator[str]:
    statement = read_order(properties, UTC)
    yield from statement.doubts.values()
    for line in statement.lines or ():
        yield from line.doubts.values()


def _of_refund(properties: Properties) -> Iterator[str]:
    yield from read_refund(properties, "").doubts.values()


def _of_member(properties: Properties) -> Iterator[str]:
    if read_date(properties.get("birth_date"), UTC).doubt:
        yield UNREADABLE_DATE


def _of_request(properties: Properties) -> Iterator[str]:
    wanted_at = properties.get("wanted_at")
    if wanted_at not in (None, "") and read_instant(wanted_at) is None:
        yield UNREADABLE_TIME_PROPERTY


_FINDERS: dict[str, Callable[[Properties], Iterator[str]]] = {
    orders.PLACED: _of_order,
    orders.REQUESTED: _of_order,
    "Order Updated": _of_order,
    "Order Amended": _of_order,
    "Order Refunded": _of_refund,
    "Order Line Cancelled": _of_refund,
    parties.CHANGED: _of_member,
    requests.REQUESTED: _of_request,
}
