"""Finds the visit of a customer: the order that a till or gate is concerned with."""

from datetime import date, time
from typing import NamedTuple
from uuid import UUID

from customers import db, sql


class Visit(NamedTuple):
    """The fields of an order that a till shows."""

    number: str
    status: str
    visit_date: date | None
    visit_time: time | None


def find_visit(customer_id: UUID, *, today: date, number: str = "") -> Visit | None:
    """Return the order with this number, or the order of the next visit if there is no number."""
    params = {"id": customer_id, "number": number, "today": today}
    row = db.row(sql.load("find_visit"), params)
    return Visit(*row) if row else None
