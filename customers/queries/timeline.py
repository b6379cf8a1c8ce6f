"""The timeline of a customer: the events on its own log, on the logs of merged records, and the
events that were filed on one of these records later.

People read it by the time at which events occurred (`timeline_by_time`): a till that was offline, or
an import, adds entries in the middle. Programs read it by version (`timeline`): nothing is added
before the newest version. In both orders an index serves each log, so a page takes the same time for
a log of ten events as for a log of 1,000,000.
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
    """The event after which a page by time starts."""

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
# A page with filters searches at most so many events, and then ends.
_SEARCHED_EVENTS = 10_000
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
    }
    name = "read_timeline_forward" if start.is_forward else "read_timeline"
    events = _read(
        name,
        params,
        logs,
        filters,
        limit + 1,
        part,
        _readable(part, is_for_customer=is_for_customer),
    )
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

    A page of a long log has fewer than `limit` events if its filters select few. Its cursor then goes
    on, until there is none. Raises BadCursor.

    is_for_customer: the customer reads it, so leave out the events of the former customers of orders
    part: the part of the record that a session opens; None for the whole record
    """
    logs = _find_logs(customer_id)
    if not logs:
        return None
    newest = _TimePosition(_LAST_MOMENT, _END, logs[0].id)
    position = read_cursor(cursor, _TimePosition) if cursor else newest
    if filters.until and filters.until < position.occurred_at:
        # The index is then read from there on.
        position = _TimePosition(filters.until, 0, logs[0].id)
    horizon = _horizon(logs, position) if _is_narrow(filters) else None
    params = {
        "logs": [log.id for log in logs],
        "before_moment": position.occurred_at,
        "before_version": position.version,
        "before_log": position.log,
        "horizon": horizon,
    }
    events = _read(
        "read_timeline_by_time",
        params,
        logs,
        filters,
        limit + 1,
        part,
        _readable(part, is_for_customer=is_for_customer),
    )
    following = None
    if len(events) > limit:
        last = events[limit - 1]
        following = _TimePosition(last.occurred_at, last.version, last.customer)
    elif horizon:
        following = _TimePosition(horizon, 0, logs[0].id)
    return Page(events[:limit], write_cursor(following) if following else None)


def _is_narrow(filters: TimelineFilter) -> bool:
    """Tell whether a page might have to read a long log to find its events.

    The events about one subject have an index of their own.
    """
    return not filters.about and any((filters.kind, filters.name, filters.channel, filters.text))


def _find_logs(customer_id: UUID) -> list[_Log]:
    """Return the logs with events of a customer, the own log first; nothing if there is no record."""
    return [_Log(*columns) for *columns, _ in sql.rows("find_logs", {"id": customer_id})]


def _horizon(logs: Sequence[_Log], position: _TimePosition) -> datetime | None:
    """Return the time down to which a page searches its filters; None to search everything."""
    params = {
        "logs": [log.id for log in logs],
        "before_moment": position.occurred_at,
        "events": _SEARCHED_EVENTS,
    }
    horizon: datetime | None = sql.rows("find_timeline_horizon", params)[0][0]
    return horizon


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
    limit: int,
    part: OpenedRecord | None,
    readable: Sequence[str],
) -> list[EventShape]:
    """Return the events that a statement of the timeline reads, with the filters."""
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = " ".join([*(_CONDITIONS[name] for name in values), *readable])
    statement = _CONDITIONS_COMMENT.sub(
        lambda comment: conditions.format(record=comment[1]), sql.load(name)
    )
    if "kind" in values:
        values["kind"] = stored_kind(values["kind"])
    if "text" in values:
        values |= {
            "text": f"%{_escaped(values['text'])}%",
            "text_names": list(filters.text_names),
        }
    rows = db.rows(
        statement,
        {
            **params,
            **values,
            **(_part_params(part) if part else {}),
            "filed_logs": [log.id for log in logs if log.has_filed_events],
            "own": [log.id for log in logs if log.is_own],
            "limit": limit,
            "order_moved": ORDER_MOVED,
        },
    )
    return [
        EventShape(*(customer, version, kind_term(kind), *columns, msgspec.Raw(body)))
        for customer, version, kind, *columns, body in rows
    ]


def _escaped(text: str) -> str:
    """Return a text for LIKE, in which no letter is a wildcard."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def _readable(part: OpenedRecord | None, *, is_for_customer: bool) -> list[str]:
    """Return the conditions for the events that a reader may see."""
    return [*([_OPENED] if part else []), *([_WITHOUT_FORMER] if is_for_customer else [])]


def _part_params(part: OpenedRecord) -> dict[str, object]:
    return {
        "opened": list(part.record_ids),
        "later": list(part.later_record_ids),
        "opened_since": part.opened_since,
        "subjects": read_opened_subjects(part).abouts,
        "record_kinds": _RECORD_KINDS,
        "opened_kinds": _RECORD_KINDS[1:] if part.has_contact else [],
    }
