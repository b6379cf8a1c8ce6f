"""Starts runs where events happen, and tells those that wait, in the events' own transaction.

A witness of the log (customers.events.subscribers). It costs nothing where nobody waits for an event of
that name, and one or two statements where somebody does, however many events there are.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from uuid_utils.compat import uuid7

from butler import sql
from butler.automations import versions
from butler.automations.run_state import BEFORE
from butler.automations.versions import Version
from butler.decisions.inputs import company_zone
from butler.document import OnAbsence, OnEvent
from butler.due import civil_time, notify
from customers.isolation import FAULTS, describe
from customers.sql import json
from customers.types import Entry

# How old the list of names may be; a version counts only from a little later than it went live.
_FRESH = 2.0
_LONGEST = 200
_NONE = timedelta(0)

_log = logging.getLogger(__name__)


class Names(NamedTuple):
    """What events can set in motion, by their names."""

    start: Mapping[str, Sequence[Version]]
    awaited: frozenset[str]


class Start(msgspec.Struct):
    """One run to be started; the letters are the columns of start_runs.sql."""

    i: UUID
    d: UUID
    g: int
    c: UUID
    o: str
    at: datetime
    b: Mapping[str, Any]
    u: datetime
    s: str = "0"
    x: str = ""
    xa: str = ""
    late: bool = False
    # Whether an occasion that is late is used up: dates are found again at every look.
    k: bool = False
    v: int = 0

    @property
    def is_gathering(self) -> bool:
        """Whether it joins the run that gathers already, where there is one."""
        return "gathered" in self.b and not self.late


def witness(entries: Sequence[Entry], received_at: datetime) -> None:
    """Start the runs that these events start, then meet the runs that wait for them."""
    names = _names()
    starts = list(_starts(entries, names, received_at))
    awaited = [one for one in entries if one.n in names.awaited]
    moved = 0
    if starts:
        moved += len(start(starts, now=received_at))
    if awaited:
        events = [{"c": e.c, "n": e.n, "a": e.a, "at": e.at, "v": e.v} for e in awaited]
        moved += len(sql.rows("meet_runs", {"events": json(events), "now": received_at}))
    if moved:
        notify.after_commit("butler.tick")


def start(starts: Sequence[Start], *, now: datetime) -> list[UUID]:
    """Start runs inside the open transaction; return those that are new."""
    return [id_ for (id_,) in sql.rows("start_runs", {"asked": json(starts), "now": now})]


def planned(
    version: Version,
    customer_id: UUID,
    occasion: str,
    cause: Mapping[str, object],
    moment: datetime,
    now: datetime,
) -> Start:
    """Return the run of an occasion that is due at a moment of its own, such as a date."""
    return Start(
        i=uuid7(),
        d=uuid7(),
        g=version.id,
        c=customer_id,
        o=occasion,
        at=moment,
        b=cause,
        u=max(moment, now),
        late=moment + civil_time.parse_length(version.document.expires) <= now,
        k=True,
    )


def fit(occasion: str) -> str:
    """Return an occasion that fits its column, and still is the same for the same."""
    if len(occasion) <= _LONGEST:
        return occasion
    return blake2b(occasion.encode(), digest_size=32).hexdigest()


def _starts(entries: Sequence[Entry], names: Names, now: datetime) -> Iterator[Start]:
    gathering: dict[tuple[UUID, int], Start] = {}
    for entry in entries:
        # What we say ourselves sets nothing in motion, or we would go on talking for ever.
        if entry.n in names.start and entry.t != "message":
            for version in names.start[entry.n]:
                run = _start_or_none(entry, version, now)
                if run is None:
                    continue
                first = gathering.setdefault((run.c, run.g), run) if run.is_gathering else run
                if first is run:
                    yield run
                else:
                    first.b["gathered"].append(_place(entry))


def _start_or_none(entry: Entry, version: Version, now: datetime) -> Start | None:
    """Make a run; None where one cannot be made. The event itself is stored all the same."""
    try:
        return _start(entry, version, now)
    except FAULTS as error:
        _log.error("no run of automation version %d started: %s", version.id, describe(error))
        return None


def _start(entry: Entry, version: Version, now: datetime) -> Start:
    document, trigger = version.document, version.document.trigger
    run = Start(
        i=uuid7(),
        d=uuid7(),
        g=version.id,
        c=entry.c,
        o=fit(_occasion(entry, document.once_per)),
        at=entry.at,
        b=_place(entry) | {"about": entry.a, "name": entry.n},
        u=now,
        v=entry.v,
    )
    within = _NONE
    if isinstance(trigger, OnAbsence):
        within = civil_time.parse_length(trigger.within)
        run.s, run.x = BEFORE, trigger.absent
        run.xa = entry.a if trigger.same == "about" else ""
        run.u = max(now, entry.at + within)
    if isinstance(trigger, OnEvent) and trigger.gather:
        run.s, run.b = BEFORE, {**run.b, "gathered": [_place(entry)]}
    run.late = entry.at + within + civil_time.parse_length(document.expires) <= now
    return run


def _place(entry: Entry) -> dict[str, object]:
    """Return where an event stands: on whose log, and at which version."""
    return {"log": entry.c, "version": entry.v}


def _occasion(entry: Entry, once_per: str) -> str:
    if once_per == "customer":
        return ""
    if once_per == "day":
        return civil_time.local_day(entry.at, company_zone()).isoformat()
    # What is about nothing can only be told apart by the event itself.
    return (entry.a if once_per == "about" else "") or entry.k


# What is waited for, as it was two seconds ago at most ----------------------------------

_held: tuple[float, Names] | None = None
_lock = threading.Lock()


def _names() -> Names:
    global _held
    kept = _held
    fresh = _FRESH if settings.BUTLER_TRIGGERS_SETTLE else 0.0
    if kept is None or time.monotonic() - kept[0] >= fresh:
        with _lock:
            kept = _held = (time.monotonic(), _read_names())
    return kept[1]


def _read_names() -> Names:
    starting: dict[str, list[Version]] = {}
    awaited: set[str] = set()
    for id_, automation_id, document, event_names, awaited_names in sql.rows("read_triggers", {}):
        awaited.update(awaited_names)
        if version := versions.keep(id_, automation_id, document):
            for name in event_names:
                starting.setdefault(name, []).append(version)
    return Names(starting, frozenset(awaited))
