"""The timeline of a customer: the events on its own log, on the logs of merged records, and the
events that were filed on one of these records later.

Pages for people show it by the time at which events occurred (`timeline_by_time`): events of a till
that was offline, or of an import, appear in the middle. Programs read it by version (`timeline`): a
new event always comes first. In both orders an index serves each log, so a page takes the same time
for a log of ten events as for a log of 1,000,000.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from customers import db, sql
from customers.queries.opened_subjects import read_opened_subjects
from customers.queries.pages import BadCursor, Page, read_cursor, write_cursor
from customers.queries.shapes import EventShape
from customers.types import ORDER_MOVED, OpenedRecord, kind_term, stored_kind

_END = 2**62
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


class TimelineFilter(msgspec.Struct, frozen=True):
    """The filters of a timeline. A field that is None does not filter."""

    kind: str | None = None
    name: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    at_version: int | None = None
    # The channel of the source, such as "till". Only `timeline_by_time` filters by it and by text.
    channel: str | None = None
    # Letters in the name, the subject or the properties of an event.
    text: str | None = None
    # Events with one of these names are also selected, whatever their text.
    text_names: tuple[str, ...] = ()


class _TimePosition(NamedTuple):
    """The position of an event in a timeline by time. A page starts after it, with earlier events."""

    occurred_at: datetime
    version: int
    log: UUID


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
    "channel": """AND event.source_id = ANY (
        ARRAY(SELECT id FROM customers_source WHERE channel = %(channel)s))""",
    "text": """AND (event.name = ANY (%(text_names)s::text[])
        OR concat_ws(' ', event.name, event.about, event.body -> 'properties') ILIKE %(text)s)""",
}
# The maximum number of events of each log that a page with filters searches. Then the page ends.
_MAX_SEARCHED_EVENTS = 10_000
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
# The condition without the events of former customers of moved orders. Only staff and keys read those.
_WITHOUT_FORMER_CUSTOMERS = """AND (event.customer_id = ANY (%(own)s::uuid[])
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
    """Return one page by version, newest first; None if there is no such record. Raises BadCursor.

    is_for_customer: the customer reads it, so leave out the events of the former customers of orders
    part: the part of the record that a session opens; None for the whole record
    """
    logs = _find_logs(customer_id)
    if not logs:
        return None
    start = _start(cursor, [log.id for log in logs], own=logs[0].id, filters=filters)
    params = {
        "logs": list(start.bounds),
        "bounds": list(start.bounds.values()),
        "at_version": filters.at_version if filters.at_version is not None else _END,
        "live_id": logs[0].id,
        "limit": limit + 1,
    }
    name = "read_timeline_forward" if start.is_forward else "read_timeline"
    readable = _readable(part, is_for_customer=is_for_customer)
    events = _read(name, params, logs, filters, part, readable)
    has_more = len(events) > limit
    events = events[:limit]
    ahead = write_cursor(_after(events, start)) if has_more else None
    if start.is_forward:
        events.reverse()
        return Page(events, write_cursor(_Position(False, start.bounds)), ahead)
    back = write_cursor(_Position(True, start.bounds)) if cursor else None
    return Page(events, ahead, back)


def timeline_by_time(
    customer_id: UUID,
    *,
    filters: TimelineFilter,
    cursor: str | None,
    limit: int,
    part: OpenedRecord | None,
    is_for_customer: bool,
) -> Page[EventShape] | None:
    """Return one page by the time of the events, the latest first; None if there is no such record.

    A page with filters may have fewer than `limit` events although others follow. The last page is the
    one without a cursor. Raises BadCursor.

    is_for_customer: the customer reads it, so leave out the events of the former customers of orders
    part: the part of the record that a session opens; None for the whole record
    """
    logs = _find_logs(customer_id)
    if not logs:
        return None
    position = _time_position(cursor, filters, logs[0].id)
    search_end = _search_end(logs, position) if _is_search_limited(filters) else None
    params = {
        "logs": [log.id for log in logs],
        "before_moment": position.occurred_at,
        "before_version": position.version,
        "before_log": position.log,
        "search_end": search_end,
        "limit": limit + 1,
    }
    readable = _readable(part, is_for_customer=is_for_customer)
    events = _read("read_timeline_by_time", params, logs, filters, part, readable)
    following = None
    if len(events) > limit:
        last = events[limit - 1]
        following = _TimePosition(last.occurred_at, last.version, last.customer)
    elif search_end:
        following = _TimePosition(search_end, 0, logs[0].id)
    return Page(events[:limit], write_cursor(following) if following else None)


def _time_position(cursor: str | None, filters: TimelineFilter, own: UUID) -> _TimePosition:
    """Return the position of a page: that of the cursor, or the end of the period if it is earlier."""
    newest = _TimePosition(_LAST_MOMENT, _END, own)
    position = read_cursor(cursor, _TimePosition) if cursor else newest
    if filters.until and filters.until < position.occurred_at:
        return _TimePosition(filters.until, 0, own)
    return position


def _is_search_limited(filters: TimelineFilter) -> bool:
    """Tell whether the search for one page has a limit, because its filters may select few events.

    Events about one subject have an index, so their search has no limit.
    """
    return not filters.about and any((filters.kind, filters.name, filters.channel, filters.text))


def _find_logs(customer_id: UUID) -> list[_Log]:
    """Return the logs with events of a customer, the own log first; nothing if there is no record."""
    return [_Log(*columns) for *columns, _ in sql.rows("find_logs", {"id": customer_id})]


def _search_end(logs: Sequence[_Log], position: _TimePosition) -> datetime | None:
    """Return the earliest time that the search for a page reaches; None if it reaches all events."""
    params = {
        "logs": [log.id for log in logs],
        "before_moment": position.occurred_at,
        "events": _MAX_SEARCHED_EVENTS,
    }
    search_end: datetime | None = sql.rows("find_timeline_search_end", params)[0][0]
    return search_end


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
    name: str,
    params: Mapping[str, object],
    logs: Sequence[_Log],
    filters: TimelineFilter,
    part: OpenedRecord | None,
    readable: Sequence[str],
) -> list[EventShape]:
    """Return the events that a statement reads with the filters and the conditions of the reader."""
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = " ".join([*(_CONDITIONS[name] for name in values), *readable])
    statement = _CONDITIONS_COMMENT.sub(
        lambda comment: conditions.format(record=comment[1]), sql.load(name)
    )
    rows = db.rows(
        statement,
        {
            **params,
            **_filter_params(values, filters),
            **(_part_params(part) if part else {}),
            "filed_logs": [log.id for log in logs if log.has_filed_events],
            "own": [log.id for log in logs if log.is_own],
            "order_moved": ORDER_MOVED,
        },
    )
    return [
        EventShape(*(customer, version, kind_term(kind), *columns, msgspec.Raw(body)))
        for customer, version, kind, *columns, body in rows
    ]


def _filter_params(values: Mapping[str, object], filters: TimelineFilter) -> dict[str, object]:
    """Return the parameters of the statement for the filters that have a value."""
    params = dict(values)
    if filters.kind is not None:
        params["kind"] = stored_kind(filters.kind)
    if filters.text is not None:
        params["text"] = f"%{_escaped(filters.text)}%"
        params["text_names"] = list(filters.text_names)
    return params


def _escaped(text: str) -> str:
    """Return a text with the wildcards of LIKE escaped."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def _readable(part: OpenedRecord | None, *, is_for_customer: bool) -> list[str]:
    """Return the conditions for the events that a reader may see."""
    return [*([_OPENED] if part else []), *([_WITHOUT_FORMER_CUSTOMERS] if is_for_customer else [])]


def _part_params(part: OpenedRecord) -> dict[str, object]:
    return {
        "opened": list(part.record_ids),
        "later": list(part.later_record_ids),
        "opened_since": part.opened_since,
        "subjects": read_opened_subjects(part).abouts,
        "record_kinds": _RECORD_KINDS,
        "opened_kinds": _RECORD_KINDS[1:] if part.has_contact else [],
    }
