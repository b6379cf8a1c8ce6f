"""A customer's timeline: the own log, and the logs of the records that were joined into it.

Every log is read by its versions, backwards, and the logs are merged by when their events
were recorded; so a page costs the same on a log of ten events and on one of 100,000.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from customers import db, sql
from customers.queries.pages import BadCursor, Page, read_cursor, write_cursor
from customers.queries.shapes import EventShape

_END = 2**62


class Filter(msgspec.Struct, frozen=True):
    """Which events to show; what is None does not narrow."""

    kind: str | None = None
    name: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    at_version: int | None = None


class _Position(msgspec.Struct, array_like=True):
    """Where a page starts: up reads versions from the bounds on, down those below."""

    is_up: bool
    bounds: dict[UUID, int]


_NARROW = {
    "kind": "AND event.kind = %(kind)s",
    "name": "AND event.name = %(name)s",
    # Said twice, so that the planner sees the partial index on `about`.
    "about": "AND event.about <> '' AND event.about = %(about)s",
    "since": "AND event.occurred_at >= %(since)s",
    "until": "AND event.occurred_at < %(until)s",
}


def timeline(
    customer_id: UUID, *, narrow: Filter, cursor: str | None, limit: int
) -> Page[EventShape] | None:
    """Return one page, newest first; None where there is no such record."""
    found_logs = db.rows(sql.load("find_logs"), {"id": customer_id})
    if not found_logs:
        return None
    logs = [(log, is_elsewhere) for log, is_elsewhere, _ in found_logs]
    start = _start(cursor, [log for log, _ in logs], own=logs[0][0], narrow=narrow)
    found = _read(start, logs, narrow, limit + 1)
    has_more = len(found) > limit
    found = found[:limit]
    ahead = write_cursor(_after(found, start)) if has_more else None
    if start.is_up:
        found.reverse()
        return Page(found, write_cursor(_Position(False, start.bounds)), ahead)
    back = write_cursor(_Position(True, start.bounds)) if cursor else None
    return Page(found, ahead, back)


def _start(cursor: str | None, logs: list[UUID], *, own: UUID, narrow: Filter) -> _Position:
    start = read_cursor(cursor, _Position) if cursor else _Position(False, {})
    if any(not 0 <= bound <= _END for bound in start.bounds.values()):
        raise BadCursor
    # A record that was joined since the last page is read from its newest event on.
    bounds = {log: start.bounds.get(log, _END) for log in logs}
    if narrow.at_version is not None and not start.is_up:
        bounds[own] = min(bounds[own], narrow.at_version + 1)
    return _Position(start.is_up, bounds)


def _after(found: list[EventShape], start: _Position) -> _Position:
    """Tell where the page after this one starts, in the direction of reading."""
    bounds = dict(start.bounds)
    for event in found:
        # Of one log the events come in order, so the last one stands.
        bounds[event.customer] = event.version + 1 if start.is_up else event.version
    return _Position(start.is_up, bounds)


def _read(
    start: _Position, logs: list[tuple[UUID, bool]], narrow: Filter, limit: int
) -> list[EventShape]:
    wanted = {name: value for name in _NARROW if (value := getattr(narrow, name)) is not None}
    statement = sql.load("read_timeline_up" if start.is_up else "read_timeline").replace(
        "/* narrow */", " ".join(_NARROW[name] for name in wanted)
    )
    own = [log for log, is_elsewhere in logs if not is_elsewhere]
    params = wanted | {
        "logs": list(start.bounds),
        "bounds": list(start.bounds.values()),
        "own": own,
        "at_version": narrow.at_version if narrow.at_version is not None else _END,
        "head": logs[0][0],
        "limit": limit,
    }
    found = db.rows(statement, params)
    return [EventShape(*(*columns, msgspec.Raw(body))) for *columns, body in found]
