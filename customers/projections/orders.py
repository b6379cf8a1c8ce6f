"""Folds the events of an order into its current state. Pure.

The events are Segment's (spec/ecommerce/v2: Order Completed, Updated, Cancelled, Refunded), and two
of Butler: Order Amended contains only the changed fields, and Order Line Cancelled cancels a line
or a part of its quantity. The order of arrival does not change the result.

Customers only send requests. Order Requested does not place an order. The other requests do not
change a placed order until staff or a source confirm them.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from customers.projections import order_answers, order_refunds
from customers.projections.order_answers import CANCELLATION_REQUESTED as CANCELLATION_REQUESTED
from customers.projections.order_answers import CHANGE_OF_REQUEST as CHANGE_OF_REQUEST
from customers.projections.order_answers import CHANGE_REQUESTED as CHANGE_REQUESTED
from customers.projections.order_answers import CONFIRMED as CONFIRMED
from customers.projections.order_answers import DECLINED as DECLINED
from customers.projections.order_answers import EXPIRED as EXPIRED
from customers.projections.order_answers import (
    LINE_CANCELLATION_REQUESTED as LINE_CANCELLATION_REQUESTED,
)
from customers.projections.order_answers import MOVED as MOVED
from customers.projections.order_answers import PLACED as PLACED
from customers.projections.order_answers import REQUESTED as REQUESTED
from customers.projections.order_lines import (
    LinePart,
    OrderLine,
    amend_line,
    lines_total,
    reduce_lines,
)
from customers.projections.order_refunds import (
    Refund,
    RefundStatement,
    read_refund,
    reduce_all_lines,
)
from customers.projections.order_state import OrderState
from customers.projections.order_statements import OrderStatement, read_order
from customers.projections.projected_events import ProjectedEvent, counted_events, parse_text
from customers.types import OPEN_ORDER_STATUSES
from customers.values.amounts import round_amount

PREFIX = "order:"
# The events that move an order to the customer whom they name.
MOVING = frozenset({"Order Updated", "Order Amended"})

# The largest amount that the column can store. The projection caps larger totals, which are
# mistakes; the log keeps the original values.
LARGEST = Decimal("999999999999.99")


def fold(number: str, events: Iterable[ProjectedEvent]) -> OrderState | None:
    """Return the order from these events; None if no event places, requests or changes it."""
    state: OrderState | None = None
    for event in _counted_order_events(events):
        if change := _CHANGES.get(event.name):
            is_new = state is None
            state = state or _opened(number, event)
            if event.name == REQUESTED and not (is_new or state.status == "requested"):
                # A placed order cannot become a request again.
                continue
            change(state, event)
            if not event.is_verified:
                order_answers.turn_into_request(state)
            state.changed_at, state.changed_by = event.occurred_at, event.stated_by
            order_answers.answer_after_change(state, event)
        elif state is None or not (change := _REQUESTS.get(event.name)):
            continue
        else:
            change(state, event)
        state.version = max(state.version, event.version)
    if state is not None:
        _subtract_refunds(state)
        state.total = max(-LARGEST, min(LARGEST, round_amount(state.total, state.currency)))
        order_answers.finish_requests(state)
    return state


def _counted_order_events(events: Iterable[ProjectedEvent]) -> list[ProjectedEvent]:
    """Return the events of an order that count, by time.

    Claims count only if no verified event states the order. An answer to a request does not state it.
    """
    events = list(events)
    counted = counted_events(events)
    if any(event.name not in _ANSWERS for event in counted):
        return order_refunds.without_repetitions(counted)
    in_order = sorted(events, key=lambda event: event.time_order)
    return order_refunds.without_repetitions(in_order)


def _subtract_refunds(state: OrderState) -> None:
    """Subtract the refunds from the total, and set the status of a refunded order."""
    if not state.refunds:
        return
    agreed = state.total
    if agreed > 0:
        state.total = max(Decimal(0), agreed - refunded_total(state.refunds))
    is_whole = state.refunds[-1].is_whole or (agreed > 0 and state.total == 0)
    is_whole = is_whole or (
        bool(state.lines) and not any(_is_ordered(line) for line in state.lines)
    )
    if is_whole and state.status in (*OPEN_ORDER_STATUSES, "refunded", "cancelled"):
        state.status = "refunded"
    elif state.status in OPEN_ORDER_STATUSES:
        state.status = "partly_refunded"


def refunded_total(refunds: Iterable[Refund]) -> Decimal:
    """Return the sum of these refunds. Refunds of an unknown amount count as 0."""
    return sum((refund.amount or Decimal(0) for refund in refunds), Decimal(0))


def _is_ordered(line: OrderLine) -> bool:
    return line.status == "ordered"


def _opened(number: str, event: ProjectedEvent) -> OrderState:
    return OrderState(
        number=number,
        placed_at=event.occurred_at,
        changed_at=event.occurred_at,
        channel=event.channel,
        changed_by=event.stated_by,
        evidence=event.evidence,
        version=event.version,
    )


def _place(state: OrderState, event: ProjectedEvent) -> None:
    _state_whole(state, event)
    state.status = "placed"
    state.evidence = event.evidence
    if state.source_id is None and event.is_verified and not event.is_by_staff:
        state.source_id, state.space_id = event.source_id, event.space_id


def _request(state: OrderState, event: ProjectedEvent) -> None:
    _state_whole(state, event)
    order_answers.request_order(state, event)


def _request_change(state: OrderState, event: ProjectedEvent) -> None:
    order_answers.request_change(state, event, _FUNCTIONS_OF_REQUESTS)


def _confirm(state: OrderState, event: ProjectedEvent) -> None:
    order_answers.confirm(state, event, _FUNCTIONS_OF_REQUESTS)


def _update(state: OrderState, event: ProjectedEvent) -> None:
    _state_whole(state, event)
    if state.status == "placed":
        state.status = "amended"


def _state_whole(state: OrderState, event: ProjectedEvent) -> None:
    """Replace the order, and its lines, with the whole order in the event.

    The event states the price and the lines that were agreed, so the refunds are subtracted again.
    """
    statement = read_order(event.properties, event.zone, currency=state.currency)
    if statement.lines is not None:
        state.lines = statement.lines
        state.doubts = {}
        for refund in state.refunds:
            _refund_again(state.lines, refund)
    _state_fields(state, statement)
    if statement.total is None and (statement.has_total or state.lines):
        state.total = _agreed_lines_total(state)
        state.is_total_of_lines = True


def _refund_again(lines: list[OrderLine], refund: Refund) -> None:
    for part in refund.lines:
        reduce_lines(lines, {"line_id": part.id, "quantity": part.quantity}, None, "refunded")


def _agreed_lines_total(state: OrderState) -> Decimal:
    """Return the total of the lines, with their refunded part, which the refunds take out."""
    refunded = sum(
        (line.amount or Decimal(0) for refund in state.refunds for line in refund.lines), Decimal(0)
    )
    return lines_total(state.lines, state.currency) + refunded


def _amend(state: OrderState, event: ProjectedEvent) -> None:
    """Change only the given fields. A line with a known id changes; one with a new id is added."""
    by_id = {line.id: line for line in state.lines}
    before = lines_total(state.lines, state.currency)
    statement = read_order(
        event.properties, event.zone, currency=state.currency, line_number=len(by_id) + 1
    )
    for line, document in zip(statement.lines or (), statement.line_documents, strict=False):
        if current := by_id.get(line.id):
            amend_line(current, line, document)
        else:
            by_id[line.id] = line
    state.lines = list(by_id.values())
    state.total += lines_total(state.lines, state.currency) - before
    _state_fields(state, statement)
    if statement.has_total and statement.total is None:
        state.total, state.is_total_of_lines = _agreed_lines_total(state), True
    if state.status == "placed":
        state.status = "amended"


def _cancel_line(state: OrderState, event: ProjectedEvent) -> None:
    """Cancel a line, or the stated quantity of it. An unreadable quantity changes nothing."""
    statement = read_refund(event.properties, state.currency)
    parts = reduce_all_lines(state.lines, statement, "cancelled")
    state.doubts = {**state.doubts, **_doubts_of("cancellation", statement)}
    if parts:
        amount = statement.amount
        if amount is None:
            amount = sum((line.amount or Decimal(0) for line in parts), Decimal(0))
        state.total -= amount
        if state.status == "placed":
            state.status = "amended"


def _cancel(state: OrderState, event: ProjectedEvent) -> None:
    state.status = "cancelled"


def _refund(state: OrderState, event: ProjectedEvent) -> None:
    """Refund the named lines or the stated amount, or the whole order if the event names neither."""
    statement = read_refund(event.properties, state.currency)
    if _is_known(statement, state.refunds):
        return
    state.currency = state.currency or statement.currency
    rest = max(Decimal(0), state.total - refunded_total(state.refunds))
    if statement.is_whole:
        parts = [*_take_rest(state.lines)]
        amount: Decimal | None = rest
    else:
        parts = reduce_all_lines(state.lines, statement, "refunded")
        amount = _refunded_amount(state, statement, parts)
    if amount is not None and amount > rest:
        statement.doubts["amount"] = order_refunds.REFUND_ABOVE_ORDER
    state.doubts = {**state.doubts, **_doubts_of("refund", statement)}
    if parts or amount or statement.is_whole:
        refund = Refund(
            at=event.occurred_at,
            amount=amount,
            reference=statement.reference,
            reason=parse_text(event.properties, "reason")[:500],
            is_whole=statement.is_whole,
            lines=parts,
        )
        state.refunds = [*state.refunds, refund]


def _is_known(statement: RefundStatement, refunds: list[Refund]) -> bool:
    """Tell whether an event repeats a refund: by its number, or by the sum of all refunds."""
    if statement.stated_sum is not None and refunds:
        return statement.stated_sum <= refunded_total(refunds)
    return bool(statement.reference) and any(
        refund.reference == statement.reference for refund in refunds
    )


def _refunded_amount(
    state: OrderState, statement: RefundStatement, parts: list[LinePart]
) -> Decimal | None:
    """Return the amount of a refund; None, with a doubt, if it is not known."""
    if statement.stated_sum is not None:
        return max(Decimal(0), statement.stated_sum - refunded_total(state.refunds))
    if statement.amount is not None:
        return statement.amount
    amount = order_refunds.amount_of_lines(parts)
    if amount is None and parts:
        statement.doubts.setdefault("amount", order_refunds.UNKNOWN_AMOUNT)
    return None if amount is None else round_amount(abs(amount), state.currency)


def _take_rest(lines: list[OrderLine]) -> Iterable[LinePart]:
    for line in lines:
        if _is_ordered(line):
            yield from reduce_lines([line], {"line_id": line.id}, None, "refunded")


def _doubts_of(field: str, statement: RefundStatement) -> dict[str, str]:
    """Return the last doubt about a refund or a cancellation, as a doubt about one field."""
    return {field: [*statement.doubts.values()][-1]} if statement.doubts else {}


_CHANGES: dict[str, Callable[[OrderState, ProjectedEvent], None]] = {
    PLACED: _place,
    "Order Updated": _update,
    "Order Amended": _amend,
    "Order Line Cancelled": _cancel_line,
    "Order Cancelled": _cancel,
    "Order Refunded": _refund,
    REQUESTED: _request,
}
# Requests and answers. They have no effect without an order, and do not change a placed order.
_REQUESTS: dict[str, Callable[[OrderState, ProjectedEvent], None]] = {
    CHANGE_REQUESTED: _request_change,
    LINE_CANCELLATION_REQUESTED: _request_change,
    CANCELLATION_REQUESTED: _request_change,
    CONFIRMED: _confirm,
    DECLINED: order_answers.decline,
    EXPIRED: order_answers.expire,
    MOVED: order_answers.remove_requests,
}
_ANSWERS = frozenset({CONFIRMED, DECLINED, EXPIRED, MOVED})
_FUNCTIONS_OF_REQUESTS = {
    request: _CHANGES[change] for request, change in CHANGE_OF_REQUEST.items()
}

NAMES = frozenset(_CHANGES)
REQUEST_NAMES = frozenset(_REQUESTS)


def _state_fields(state: OrderState, statement: OrderStatement) -> None:
    """Write the fields that an event states. An unreadable one does not change."""
    state.currency = statement.currency or state.currency
    if statement.total is not None:
        state.total, state.is_total_of_lines = statement.total, False
    if statement.has_visit_date:
        state.visit_date = statement.visit_date
    if statement.has_visit_time:
        state.visit_time = statement.visit_time
    if statement.party is not None:
        state.party = statement.party
    state.details = {**state.details, **statement.details}
    readable = _readable_fields(statement)
    doubts = {field: doubt for field, doubt in state.doubts.items() if field not in readable}
    state.doubts = {**doubts, **statement.doubts}


def _readable_fields(statement: OrderStatement) -> set[str]:
    """Return the fields that an event states, whose earlier doubts are over."""
    stated = {
        "total": statement.has_total,
        "currency": bool(statement.currency),
        "visit_date": statement.has_visit_date,
        "visit_time": statement.has_visit_time,
    }
    return {field for field, is_stated in stated.items() if is_stated}
