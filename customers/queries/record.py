"""One record, read in one statement."""

from datetime import date
from uuid import UUID

import msgspec
from django.conf import settings

from customers import db, sql
from customers.queries.shapes import Head, RecordShape

_decode = msgspec.json.Decoder(RecordShape).decode


def head(customer_id: UUID, *, today: date) -> Head | None:
    """Tell where a record stands now, and whether a reader's copy of that version holds."""
    params = {"id": customer_id, "today": today, "zone": settings.TIME_ZONE}
    found = db.row(sql.load("read_head"), params)
    return Head(*found) if found else None


def record(customer_id: UUID, *, today: date) -> RecordShape | None:
    """Return the live record that this id leads to; joined records lead to what they joined."""
    found = db.row(sql.load("read_record"), {"id": customer_id, "today": today})
    return _decode(found[0]) if found else None
