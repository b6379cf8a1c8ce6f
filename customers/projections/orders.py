"""What an order is now, from everything that was said about it. Pure.

The vocabulary is Segment's (spec/ecommerce/v2: Order Completed, Updated, Cancelled, Refunded),
with two statements of our own: Order Amended names only what changes, and Order Line Cancelled
takes one line, or some of it, out. In any order of arrival the result is the same.

A customer only requests: Order Requested is no order yet, and the other requests wait beside
an order that stands. Staff or a source place, confirm or decline what was requested.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from customers.projections.facts import Fact, clock, day, documents, in_order, money, text, whole
from customers.types import CLAIMED

PREFIX = "order:"
PLACED = "Order Completed"
# What a customer asks for, and what becomes of it.
REQUESTED = "Order Requested"
CHANGE_REQUESTED = "Order Change Requested"
LINE_CANCELLATION_REQUESTED = "Order Line Cancellation Requested"
CANCELLATION_REQUESTED = "Order Cancellation Requested"
CONFIRMED = "Order Request Confirmed"
DECLINED = "Order Request Declined"


class Line(msgspec.Struct):
    id: str
    product: str = ""
    name: str = ""
    quantity: int = 1
    unit_price: Decimal | None = None
    status: str = "ordered"
    details: dict[str, object] = {}

    @property
    def total(self) -> Decimal:
        return (self.unit_price or Decimal(0)) * self.quantity


# What the column holds. Lines that come to more are a mistake, and still on the log as they came.
LARGEST = Decimal("999999999999.99")


class OrderState(msgspec.Struct):
    """An order as it stands. `total` is what was promised for what is still in it."""

    number: str
    placed_at: datetime
    changed_at: datetime
    channel: str
    changed_by: str
    evidence: int
    version: int
    status: str = "placed"
    currency: str = ""
    total: Decimal = Decimal("0.00")
    visit_date: date | None = None
    visit_time: time | None = None
    party: list[dict[str, object]] = []
    lines: list[Line] = []
    details: dict[str, object] = {}
    requested_changes: list[dict[str, object]] = []


def fold(number: str, facts: Iterable[Fact]) -> OrderState | None:
    """Return the order that these facts amount to; None where none of them makes one."""
    state: OrderState | None = None
    for fact in in_order(facts):
        if change := _CHANGES.get(fact.name):
            state = state or _opened(number, fact)
            change(state, fact)
            state.changed_at, state.changed_by = fact.occurred_at, fact.said_by
        elif state is None or not (change := _REQUESTS.get(fact.name)):
            continue
        else:
            change(state, fact)
        state.version = max(state.version, fact.version)
    if state is not None:
        state.total = max(-LARGEST, min(LARGEST, state.total))
    return state


def _opened(number: str, fact: Fact) -> OrderState:
    return OrderState(
        number=number,
        placed_at=fact.occurred_at,
        changed_at=fact.occurred_at,
        channel=fact.channel,
        changed_by=fact.said_by,
        evidence=fact.evidence,
        version=fact.version,
    )


def _place(state: OrderState, fact: Fact) -> None:
    _state_whole(state, fact)
    state.status = "placed"
    state.evidence = fact.evidence


def _request(state: OrderState, fact: Fact) -> None:
    """Take down what a customer asks for. Until somebody places it, it is only a claim."""
    _state_whole(state, fact)
    state.status, state.evidence = "requested", CLAIMED


def _request_change(state: OrderState, fact: Fact) -> None:
    """Keep a request beside an order that stands; a request itself changes at once."""
    if state.status == "requested":
        _CHANGE_OF[fact.name](state, fact)
    elif state.status in ("placed", "amended"):
        change = {name: value for name, value in fact.data.items() if name != "order_id"}
        request: dict[str, object] = {
            "event": fact.name,
            "change": change,
            "requested_at": fact.occurred_at.isoformat(),
        }
        state.requested_changes = [*state.requested_changes, request]


def _confirm(state: OrderState, fact: Fact) -> None:
    state.requested_changes = []


def _decline(state: OrderState, fact: Fact) -> None:
    state.requested_changes = []
    if state.status == "requested":
        state.status = "declined"
        state.changed_at, state.changed_by = fact.occurred_at, fact.said_by


def _update(state: OrderState, fact: Fact) -> None:
    _state_whole(state, fact)
    if state.status == "placed":
        state.status = "amended"


def _state_whole(state: OrderState, fact: Fact) -> None:
    """Take the statement as the whole order: lines that it does not name are gone."""
    if "products" in fact.data or "lines" in fact.data:
        stated = documents(fact.data.get("products") or fact.data.get("lines"))
        state.lines = [_line(one, number) for number, one in enumerate(stated, start=1)]
    _state_details(state, fact.data)
    if "total" not in fact.data and "revenue" not in fact.data and state.lines:
        state.total = _sum(state.lines)


def _amend(state: OrderState, fact: Fact) -> None:
    """Change only what is named; a line by its id, or added under a new one."""
    by_id = {line.id: line for line in state.lines}
    before = _sum(state.lines)
    for number, one in enumerate(documents(fact.data.get("lines")), start=len(by_id) + 1):
        line = _line(one, number)
        if known := by_id.get(line.id):
            _merge(known, line, one)
        else:
            by_id[line.id] = line
    state.lines = list(by_id.values())
    state.total += _sum(state.lines) - before
    _state_details(state, fact.data)
    if state.status == "placed":
        state.status = "amended"


def _cancel_line(state: OrderState, fact: Fact) -> None:
    wanted = text(fact.data, "line_id", "product_id", "sku")
    for line in state.lines:
        if line.id == wanted and line.status == "ordered":
            gone = min(whole(fact.data.get("quantity"), line.quantity), line.quantity)
            state.total -= (line.unit_price or Decimal(0)) * gone
            if gone == line.quantity:
                line.status = "cancelled"
            else:
                line.quantity -= gone
            if state.status == "placed":
                state.status = "amended"
            return


def _cancel(state: OrderState, fact: Fact) -> None:
    state.status = "cancelled"
    state.requested_changes = []


def _refund(state: OrderState, fact: Fact) -> None:
    """Refund the lines that are named, or all of it."""
    named = {
        text(one, "line_id", "id", "product_id") for one in documents(fact.data.get("products"))
    }
    for line in state.lines:
        if line.id in named or line.product in named:
            line.status = "refunded"
    if not named:
        state.status = "refunded"
        state.requested_changes = []


_CHANGES: dict[str, Callable[[OrderState, Fact], None]] = {
    PLACED: _place,
    "Order Updated": _update,
    "Order Amended": _amend,
    "Order Line Cancelled": _cancel_line,
    "Order Cancelled": _cancel,
    "Order Refunded": _refund,
    REQUESTED: _request,
}
# What says nothing unless there is an order, and changes nothing of an order that stands.
_REQUESTS: dict[str, Callable[[OrderState, Fact], None]] = {
    CHANGE_REQUESTED: _request_change,
    LINE_CANCELLATION_REQUESTED: _request_change,
    CANCELLATION_REQUESTED: _request_change,
    CONFIRMED: _confirm,
    DECLINED: _decline,
}
# What each request becomes when it is granted.
GRANTED = {
    CHANGE_REQUESTED: "Order Amended",
    LINE_CANCELLATION_REQUESTED: "Order Line Cancelled",
    CANCELLATION_REQUESTED: "Order Cancelled",
}
_CHANGE_OF = {request: _CHANGES[change] for request, change in GRANTED.items()}

NAMES = frozenset(_CHANGES)


def _line(one: dict[str, object], number: int) -> Line:
    known = {"id", "line_id", "product_id", "product", "sku", "name", "quantity"}
    known |= {"price", "unit_price", "status", "total"}
    return Line(
        id=text(one, "line_id", "id") or str(number),
        product=text(one, "product_id", "product", "sku"),
        name=text(one, "name"),
        quantity=whole(one.get("quantity"), 1),
        unit_price=money(one.get("unit_price", one.get("price"))),
        details={name: value for name, value in one.items() if name not in known},
    )


def _merge(known: Line, said: Line, one: dict[str, object]) -> None:
    """Take over the fields of a line that were really named."""
    known.status = "ordered"
    known.details = {**known.details, **said.details}
    known.product = said.product or known.product
    known.name = said.name or known.name
    if "quantity" in one:
        known.quantity = said.quantity
    if said.unit_price is not None:
        known.unit_price = said.unit_price


def _state_details(state: OrderState, data: dict[str, object]) -> None:
    total = money(data.get("total", data.get("revenue")))
    if total is not None:
        state.total = total
    state.currency = (text(data, "currency") or state.currency).upper()[:3]
    if "visit_date" in data:
        state.visit_date = day(data["visit_date"])
    if "visit_time" in data:
        state.visit_time = clock(data["visit_time"])
    if "party" in data:
        state.party = documents(data["party"])
    for name in ("name", "note", "code", "coupon", "affiliation"):
        if name in data:
            state.details = {**state.details, name: data[name]}


def _sum(lines: Iterable[Line]) -> Decimal:
    return sum((line.total for line in lines if line.status == "ordered"), Decimal("0.00"))
