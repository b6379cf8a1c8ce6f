"""Reads one record in one statement."""

from datetime import date
from uuid import UUID

import msgspec
from django.conf import settings

from customers import db, sql
from customers.queries.shapes import RecordShape, RecordVersion

_decode = msgspec.json.Decoder(RecordShape).decode


def read_record_version(customer_id: UUID, *, today: date) -> RecordVersion | None:
    """Return a record's version, and whether a copy of that version is still current.

    Returns None if the record does not exist.
    """
    params = {"id": customer_id, "today": today, "zone": settings.TIME_ZONE}
    row = db.row(sql.load("read_customer_version"), params)
    return RecordVersion(*row) if row else None


def read_record(customer_id: UUID, *, today: date) -> RecordShape | None:
    """Return the live record that this id leads to, or None. A merged record leads to another."""
    row = db.row(sql.load("read_record"), {"id": customer_id, "today": today})
    return _decode(row[0]) if row else None
