"""Reads one record in one statement, as a whole or the part that a session opens."""

import re
from datetime import date
from functools import cache
from uuid import UUID

import msgspec
from django.conf import settings

from customers import db, sql
from customers.queries.shapes import RecordShape, RecordVersion
from customers.types import OpenedRecord

_decode = msgspec.json.Decoder(RecordShape).decode


def read_record_version(customer_id: UUID, *, today: date) -> RecordVersion | None:
    """Return a record's version, and whether a copy of that version is still current.

    Returns None if the record does not exist.
    """
    params = {"id": customer_id, "today": today, "zone": settings.TIME_ZONE}
    row = db.row(sql.load("read_customer_version"), params)
    return RecordVersion(*row) if row else None


def read_record(customer_id: UUID, *, today: date, part: OpenedRecord | None) -> RecordShape | None:
    """Return the live record that this id leads to, or None. A merged record leads to another.

    part: the part that a session opens; None for the whole record
    """
    params = {"id": customer_id, "today": today}
    if part is None:
        row = db.row(_statement(), params)
        return _decode(row[0]) if row else None
    row = db.row(_partial_statement(), params | _part_params(part))
    if row is None:
        return None
    return msgspec.structs.replace(_decode(row[0]), last_seen_at=None, open_reviews=0)


# The conditions for a part of a record, and the subjects that open with it, by the comments in
# read_record.sql.
_CONDITIONS = {
    "subjects": """, subject AS MATERIALIZED (
    SELECT about
      FROM customers_opened_subjects((SELECT id FROM customer), %(record_ids)s::uuid[], NULL,
                                     %(later_record_ids)s::uuid[], %(opened_since)s::timestamptz)
)""",
    "order": "AND 'order:' || customers_sent_number(number) IN (SELECT about FROM subject)",
    "identifier": "AND id = ANY (%(listed_ids)s::bigint[])",
    "member": "AND 'member:' || reference IN (SELECT about FROM subject)",
    "interaction": "AND reference IN (SELECT about FROM subject)",
    "merge": "AND %(record_ids)s::uuid[] @> ARRAY[merged_into_id, record_id]",
}
_OPENED_TRAITS = """(SELECT customer.id AS customer_id, stated.*
     FROM customers_stated_traits(%(record_ids)s::uuid[]) AS stated)"""
_PART_COMMENT = re.compile(r" ?/\*(\w+)\*/")


@cache
def _statement() -> str:
    return _PART_COMMENT.sub("", sql.load("read_record"))


@cache
def _partial_statement() -> str:
    statement = sql.load("read_record").replace("/*trait*/ customers_trait", _OPENED_TRAITS)
    return _PART_COMMENT.sub(lambda comment: f" {_CONDITIONS[comment[1]]}", statement)


def _part_params(part: OpenedRecord) -> dict[str, object]:
    return {
        "record_ids": list(part.record_ids),
        "listed_ids": list(part.listed_ids),
        "later_record_ids": list(part.later_record_ids),
        "opened_since": part.opened_since,
    }
