"""Reads the refunds and cancellations of an order, and takes them out of its lines. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from customers.projections.order_lines import (
    ID_NAMES,
    LINES,
    PRODUCT_NAMES,
    LinePart,
    OrderLine,
    amount_of,
    in_all_units,
    reduce_lines,
    stated_lines,
)
from customers.projections.order_requests import REQUEST_ID
from customers.projections.order_statements import has_minor_amounts, read_currency, read_total
from customers.projections.projected_events import ProjectedEvent, parse_text
from customers.values.amounts import UNREADABLE_QUANTITY, read_quantity

REFUND_ABOVE_ORDER = "refund_above_order"
UNKNOWN_LINE = "unknown_line"
UNKNOWN_AMOUNT = "unknown_amount"

# The events that take something from an order, so that a repetition would take it twice.
_SUBTRACTING = frozenset({"Order Refunded", "Order Line Cancelled"})
# The fields with the amount of one refund, and those with the sum of all refunds of the order.
_AMOUNT_NAMES = ("refund_amount", "amount", "total", "revenue", "value")
_SUM_NAMES = ("amount_refunded", "total_refunded")
# The fields by which an event names a part of the order.
_PART_NAMES = (*in_all_units((*_AMOUNT_NAMES, *_SUM_NAMES)), *LINES)
_LINE_AMOUNT_NAMES = ("refund_amount", "amount", "subtotal", "total")
_REFERENCE_NAMES = ("refund_id", "refundId")
# The fields with which an event itself names a line. Its `id` is not the id of a line.
_LINE_NAMES = (*(name for name in ID_NAMES if name != "id"), *PRODUCT_NAMES, "sku")


class Refund(msgspec.Struct):
    """One refund of an order: what was paid back, and for which quantities of which lines."""

    at: datetime
    # None if it is not known.
    amount: Decimal | None
    reference: str = ""
    reason: str = ""
    is_whole: bool = False
    lines: list[LinePart] = []


class RefundStatement(msgspec.Struct):
    """The facts about a refund or a cancellation of lines in one event."""

    amount: Decimal | None
    # The sum of all refunds until now, if the event states it instead of the amount.
    stated_sum: Decimal | None
    # The lines, as JSON objects.
    documents: list[dict[str, object]]
    currency: str
    is_minor: bool
    reference: str
    doubts: dict[str, str]

    @property
    def facts(self) -> tuple[object, ...]:
        """The facts by which two events of one time are the same refund or cancellation."""
        lines = sorted(
            (
                parse_text(document, *ID_NAMES),
                parse_text(document, *PRODUCT_NAMES),
                parse_text(document, "sku"),
                parse_text(document, "quantity", "qty"),
            )
            for document in self.documents
        )
        return self.reference, self.amount, self.stated_sum, *lines

    @property
    def is_whole(self) -> bool:
        """Tell whether the event names no part of the order, so that it means all of it."""
        is_part = self.documents or self.amount is not None or self.stated_sum is not None
        return not (is_part or self.doubts)


def read_refund(properties: Mapping[str, object], currency: str) -> RefundStatement:
    """Return what the properties of an event state about a refund or a cancellation.

    currency: the currency of the order, if it is known
    """
    doubts: dict[str, str] = {}
    currency = currency or read_currency(properties, doubts)
    is_minor = has_minor_amounts(properties)
    stated_sum = amount_of(properties, _SUM_NAMES, currency, is_minor=is_minor).value
    amount = None
    if stated_sum is None:
        amount = read_total(properties, _AMOUNT_NAMES, currency, doubts, is_minor=is_minor).value
    documents = _documents(properties, doubts)
    if any(read_quantity(_quantity(document)).doubt for document in documents):
        doubts["quantity"] = UNREADABLE_QUANTITY
    is_part = documents or amount is not None or stated_sum is not None
    if not (is_part or doubts) and _names_empty_part(properties):
        # The event means a part of the order, and does not say which.
        doubts["amount"] = UNKNOWN_AMOUNT
    return RefundStatement(
        amount=None if amount is None else abs(amount),
        stated_sum=None if stated_sum is None else abs(stated_sum),
        documents=documents,
        currency=currency,
        is_minor=is_minor,
        reference=_reference(properties),
        doubts=doubts,
    )


def without_repetitions(events: Iterable[ProjectedEvent]) -> list[ProjectedEvent]:
    """Return the events; of the refunds and cancellations of lines that repeat another, the first.

    They repeat another if time and facts agree. A webhook that is sent again may have another message
    id, and the server and the till of a shop may both send a refund.
    """
    distinct: dict[object, ProjectedEvent] = {}
    for event in events:
        fact: object = event.message_key
        if event.name in _SUBTRACTING:
            request_id = parse_text(event.properties, REQUEST_ID)
            facts = read_refund(event.properties, "").facts
            fact = event.name, event.occurred_at, request_id, facts
        distinct.setdefault(fact, event)
    return list(distinct.values())


def _names_empty_part(properties: Mapping[str, object]) -> bool:
    return any(name in properties for name in _PART_NAMES)


def _documents(properties: Mapping[str, object], doubts: dict[str, str]) -> list[dict[str, object]]:
    """Return the lines that an event names: those of its list, and the one in its own fields."""
    stated = stated_lines(properties)
    if stated and stated.doubt:
        doubts["lines"] = stated.doubt
    documents = list(stated.documents) if stated else []
    if parse_text(properties, *_LINE_NAMES):
        own_fields = {name: properties[name] for name in _OWN_FIELDS if name in properties}
        documents.append(own_fields)
    return documents


_OWN_FIELDS = (*_LINE_NAMES, "quantity", "qty")


def _quantity(document: Mapping[str, object]) -> object:
    return document.get("quantity", document.get("qty"))


def _reference(properties: Mapping[str, object]) -> str:
    reference = parse_text(properties, *_REFERENCE_NAMES)
    is_refund = properties.get("object") == "refund"
    return reference or (parse_text(properties, "id") if is_refund else "")


def reduce_all_lines(
    lines: Iterable[OrderLine], statement: RefundStatement, status: str
) -> list[LinePart]:
    """Cancel or refund the lines that an event names; add a doubt if one of them is unknown."""
    lines = list(lines)
    parts: list[LinePart] = []
    for document in statement.documents:
        amount = amount_of(
            document, _LINE_AMOUNT_NAMES, statement.currency, is_minor=statement.is_minor
        )
        if amount.doubt:
            statement.doubts["amount"] = amount.doubt
        stated = None if amount.value is None else abs(amount.value)
        document_parts = reduce_lines(lines, document, stated, status)
        if not document_parts and "quantity" not in statement.doubts:
            statement.doubts["lines"] = UNKNOWN_LINE
        parts += document_parts
    return parts


def amount_of_lines(parts: Iterable[LinePart]) -> Decimal | None:
    """Return the price of the parts; None if a unit price is unknown, or if there are no parts."""
    amounts = [part.amount for part in parts]
    if not amounts or None in amounts:
        return None
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
