"""The timeline of a customer: the events on its own log, on the logs of merged records, and the
events that were filed on one of these records later.

The statement reads each log backwards by version, and merges the logs by the time of recording. So
a page takes the same time for a log of ten events as for a log of 100,000.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from customers import db, sql
from customers.queries.opened_subjects import read_opened_subjects
from customers.queries.pages import BadCursor, Page, read_cursor, write_cursor
from customers.queries.shapes import EventShape
from customers.types import ORDER_MOVED, OpenedRecord, kind_term, stored_kind

_END = 2**62


class TimelineFilter(msgspec.Struct, frozen=True):
    """The filters of a timeline. A field that is None does not filter."""

    kind: str | None = None
    name: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    at_version: int | None = None


class _Position(msgspec.Struct, array_like=True):
    """The start of a page. A forward page starts at the bounds, a backward page below them."""

    is_forward: bool
    bounds: dict[UUID, int]


class _Log(NamedTuple):
    """A log with events of the customer, as find_logs.sql returns it."""

    id: UUID
    is_own: bool
    has_filed_events: bool


_CONDITIONS = {
    "kind": "AND event.kind = %(kind)s",
    "name": "AND event.name = %(name)s",
    # The first condition lets the planner use the partial index on `about`.
    "about": "AND event.about <> '' AND event.about = %(about)s",
    "since": "AND event.occurred_at >= %(since)s",
    "until": "AND event.occurred_at < %(until)s",
}
# Events of Butler about a record as a whole. Merges and separations name other records.
_RECORD_KINDS = ["identity", "control", "message", "task"]
# The condition for the part of a record that a session opens. Events about the record as a whole, such
# as messages, count from the time when an opened record was merged into it. {record} is the filing record.
# Of a later record, the events count that came after a silence (customers.identity.silences). Sources
# go on to state the earlier holder, so their statements do not count.
_OPENED = """AND (({record} = ANY (%(opened)s::uuid[]) AND event.kind <> ALL (%(record_kinds)s::text[]))
     OR (event.about <> '' AND event.about = ANY (%(subjects)s::text[]))
     OR ({record} = ANY (%(later)s::uuid[]) AND event.about = ''
         AND event.occurred_at >= %(opened_since)s::timestamptz
         AND event.kind <> ALL (%(record_kinds)s::text[])
         AND (event.kind <> 'identify' OR event.source_id = 1))
     OR (event.kind = ANY (%(opened_kinds)s::text[])
         AND ({record} = ANY (%(opened)s::uuid[])
              OR EXISTS (SELECT
                           FROM customers_merge AS merge
                          WHERE merge.merged_into_id = event.customer_id
                            AND merge.record_id = ANY (%(opened)s::uuid[])
                            AND merge.undone_at IS NULL
                            AND merge.merged_at <= event.recorded_at))))"""
# The events that came with a moved order were about another customer: only staff and keys read them.
_WITHOUT_FORMER = """AND (event.customer_id = ANY (%(own)s::uuid[])
     OR NOT EXISTS (SELECT
                      FROM customers_refiledevent AS moved
                     WHERE moved.customer_id = event.customer_id
                       AND moved.version = event.version
                       AND moved.reason = %(order_moved)s::text))"""
_CONDITIONS_COMMENT = re.compile(r"/\* conditions of (.+) \*/")


def timeline(
    customer_id: UUID,
    *,
    filters: TimelineFilter,
    cursor: str | None,
    limit: int,
    part: OpenedRecord | None,
    is_for_customer: bool,
) -> Page[EventShape] | None:
    """Return one page, newest first; None if the record does not exist. Raises BadCursor.

    is_for_customer: the customer reads it, so leave out the events of the former customers of orders
    part: the part of the record that a session opens; None for the whole record
    """
    log_rows = db.rows(sql.load("find_logs"), {"id": customer_id})
    if not log_rows:
        return None
    logs = [_Log(*columns) for *columns, _ in log_rows]
    start = _start(cursor, [log.id for log in logs], own=logs[0].id, filters=filters)
    readable = [*([_OPENED] if part else []), *([_WITHOUT_FORMER] if is_for_customer else [])]
    events = _read(start, logs, filters, limit + 1, part, readable)
    has_more = len(events) > limit
    events = events[:limit]
    ahead = write_cursor(_after(events, start)) if has_more else None
    if start.is_forward:
        events.reverse()
        return Page(events, write_cursor(_Position(False, start.bounds)), ahead)
    back = write_cursor(_Position(True, start.bounds)) if cursor else None
    return Page(events, ahead, back)


def _start(
    cursor: str | None, logs: list[UUID], *, own: UUID, filters: TimelineFilter
) -> _Position:
    start = read_cursor(cursor, _Position) if cursor else _Position(False, {})
    if any(not 0 <= bound <= _END for bound in start.bounds.values()):
        raise BadCursor
    # The log of a record that was merged after the last page starts at its newest event.
    bounds = {log: start.bounds.get(log, _END) for log in logs}
    if filters.at_version is not None and not start.is_forward:
        bounds[own] = min(bounds[own], filters.at_version + 1)
    return _Position(start.is_forward, bounds)


def _after(events: list[EventShape], start: _Position) -> _Position:
    """Return the start of the next page in the direction of reading."""
    bounds = dict(start.bounds)
    for event in events:
        # The events of one log are in order, so the last event sets the bound.
        bounds[event.customer] = event.version + 1 if start.is_forward else event.version
    return _Position(start.is_forward, bounds)


def _read(
    start: _Position,
    logs: list[_Log],
    filters: TimelineFilter,
    limit: int,
    part: OpenedRecord | None,
    readable: Sequence[str],
) -> list[EventShape]:
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = " ".join([*(_CONDITIONS[name] for name in values), *readable])
    statement = _CONDITIONS_COMMENT.sub(
        lambda comment: conditions.format(record=comment[1]),
        sql.load("read_timeline_forward" if start.is_forward else "read_timeline"),
    )
    if "kind" in values:
        values["kind"] = stored_kind(values["kind"])
    params = values | (_part_params(part) if part else {})
    params |= {
        "logs": list(start.bounds),
        "bounds": list(start.bounds.values()),
        "filed_logs": [log.id for log in logs if log.has_filed_events],
        "own": [log.id for log in logs if log.is_own],
        "at_version": filters.at_version if filters.at_version is not None else _END,
        "live_id": logs[0].id,
        "limit": limit,
        "order_moved": ORDER_MOVED,
    }
    rows = db.rows(statement, params)
    return [
        EventShape(*(customer, version, kind_term(kind), *columns, msgspec.Raw(body)))
        for customer, version, kind, *columns, body in rows
    ]


def _part_params(part: OpenedRecord) -> dict[str, object]:
    return {
        "opened": list(part.record_ids),
        "later": list(part.later_record_ids),
        "opened_since": part.opened_since,
        "subjects": read_opened_subjects(part).abouts,
        "record_kinds": _RECORD_KINDS,
        "opened_kinds": _RECORD_KINDS[1:] if part.has_contact else [],
    }
