"""Reads what one event states about an order, and the doubts about it. Pure."""

from collections.abc import Mapping
from datetime import date, time, tzinfo
from decimal import Decimal

import msgspec

from customers.projections.order_lines import (
    OrderLine,
    amount_of,
    in_all_units,
    line_from_document,
    stated_lines,
    without_prices,
)
from customers.projections.projected_events import parse_objects, parse_text
from customers.values.amounts import StatedAmount, is_minor_unit
from customers.values.currencies import is_currency
from customers.values.times import read_date, read_time_of_day

UNREADABLE_CURRENCY = "unreadable_currency"

_TOTAL_NAMES = ("total", "revenue", "value", "total_price", "amount_total")
_DETAILS = ("name", "note", "code", "coupon", "affiliation")
# The fields of an order that only the company sets, in all their spellings.
_COMPANY_FIELDS = in_all_units(
    (*_TOTAL_NAMES, "amount", "refund_amount", "amount_refunded", "total_refunded")
) | {"code", "ticket_code", "currency", "currency_code", "currencyCode"}
_UNIT_NAMES = ("unit", "amount_unit", "currency_unit")
# The objects of Stripe, whose amounts are in the smallest unit of their currency.
_STRIPE_OBJECTS = frozenset({"charge", "checkout.session", "payment_intent", "refund"})


class OrderStatement(msgspec.Struct):
    """The fields of an order that an event states. None: the event does not state the field."""

    currency: str = ""
    total: Decimal | None = None
    has_total: bool = False
    lines: list[OrderLine] | None = None
    line_documents: list[dict[str, object]] = []
    visit_date: date | None = None
    has_visit_date: bool = False
    visit_time: time | None = None
    has_visit_time: bool = False
    party: list[dict[str, object]] | None = None
    details: dict[str, object] = {}
    # The codes of what Butler could not read, by field.
    doubts: dict[str, str] = {}


def change_of_customer(properties: Mapping[str, object]) -> dict[str, object]:
    """Return the change of an order that a customer requests: without prices, totals and codes."""
    return {
        name: value
        for name, value in without_prices(properties).items()
        if name not in _COMPANY_FIELDS and name != "order_id"
    }


def read_order(
    properties: Mapping[str, object], zone: tzinfo, *, currency: str = "", line_number: int = 1
) -> OrderStatement:
    """Return what the properties of an event state.

    currency: the currency of the order, if it is known. line_number: the number of the first line
    """
    doubts: dict[str, str] = {}
    currency = read_currency(properties, doubts) or currency
    is_minor = has_minor_amounts(properties)
    total = read_total(properties, _TOTAL_NAMES, currency, doubts, is_minor=is_minor)
    currency = currency or total.currency
    statement = OrderStatement(
        currency=currency,
        total=total.value,
        has_total=total.value is not None or bool(total.doubt),
        doubts=doubts,
        details={name: properties[name] for name in _DETAILS if name in properties},
    )
    _read_lines(properties, statement, line_number, is_minor=is_minor)
    _read_visit(properties, zone, statement)
    if "party" in properties:
        statement.party = parse_objects(properties["party"])
    return statement


def read_currency(properties: Mapping[str, object], doubts: dict[str, str]) -> str:
    """Return the currency that an event states; empty, perhaps with a doubt, if it states none."""
    text = parse_text(properties, "currency", "currency_code", "currencyCode").strip().upper()
    if is_currency(text) or not text:
        return text
    doubts["currency"] = UNREADABLE_CURRENCY
    return ""


def has_minor_amounts(properties: Mapping[str, object]) -> bool:
    """Tell whether an event declares that its amounts are in the smallest unit, such as cents."""
    for name in _UNIT_NAMES:
        if name in properties and is_minor_unit(properties[name]):
            return True
    kind = properties.get("object")
    return type(kind) is str and kind in _STRIPE_OBJECTS


def read_total(
    properties: Mapping[str, object],
    names: tuple[str, ...],
    currency: str,
    doubts: dict[str, str],
    *,
    is_minor: bool,
) -> StatedAmount:
    """Return the first stated amount of these fields of an event, and add the doubt about it."""
    amount = amount_of(properties, names, currency, is_minor=is_minor)
    if amount.doubt:
        doubts["total"] = amount.doubt
    return amount


def _read_lines(
    properties: Mapping[str, object],
    statement: OrderStatement,
    line_number: int,
    *,
    is_minor: bool,
) -> None:
    stated = stated_lines(properties)
    if stated is None:
        return
    if stated.doubt:
        statement.doubts["lines"] = stated.doubt
    statement.line_documents = stated.documents
    statement.lines = [
        line_from_document(document, number, statement.currency, is_minor=is_minor)
        for number, document in enumerate(stated.documents, start=line_number)
    ]


def _read_visit(properties: Mapping[str, object], zone: tzinfo, statement: OrderStatement) -> None:
    """Read date and time of the visit. An unreadable one does not count as stated."""
    if "visit_date" in properties:
        visit_date = read_date(properties["visit_date"], zone)
        statement.visit_date, statement.has_visit_date = visit_date.value, not visit_date.doubt
        if visit_date.doubt:
            statement.doubts["visit_date"] = visit_date.doubt
    if "visit_time" in properties:
        visit_time = read_time_of_day(properties["visit_time"], zone)
        statement.visit_time, statement.has_visit_time = visit_time.value, not visit_time.doubt
        if visit_time.doubt:
            statement.doubts["visit_time"] = visit_time.doubt
