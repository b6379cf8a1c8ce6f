"""Starts runs for stored events and signals the runs that await them, in the events' transaction.

This is a subscriber of the log (customers.events.subscribers). It runs no statement if no version
uses events with these names. Otherwise it runs one or two statements for any number of events.
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
from butler.automations.run_state import BEFORE_FIRST_STEP
from butler.automations.versions import LoadedVersion
from butler.decisions.inputs import company_zone
from butler.document import OnAbsence, OnEvent
from butler.due import civil_time, notify
from customers.fault_isolation import FAULTS, describe_fault
from customers.projections.event_names import canonical_name
from customers.sql import json
from customers.types import LogEntry

# The cache time of the names. A version starts runs only after BUTLER_ACTIVATION_SECONDS.
_CACHE_SECONDS = 2.0
_MAX_KEY_LENGTH = 200
_NO_TIME = timedelta(0)

_log = logging.getLogger(__name__)


class EventNames(NamedTuple):
    """The event names that start runs, with their versions, and the event names that runs await."""

    starting: Mapping[str, Sequence[LoadedVersion]]
    awaited: frozenset[str]


class RunStart(msgspec.Struct, kw_only=True):
    """One run to be started; the fields are the columns of start_runs.sql."""

    run_id: UUID
    decision_id: UUID
    version_id: int
    customer_id: UUID
    occasion: str
    occurred_at: datetime
    cause: Mapping[str, Any]
    due_at: datetime
    step: str = "0"
    awaited: str = ""
    awaited_about: str = ""
    is_late: bool = False
    # Whether a late start leaves an ended run. Each search finds a date again. Without a run, each
    # search would write the decision again.
    is_kept_when_late: bool = False
    customer_version: int = 0

    @property
    def is_gathering(self) -> bool:
        """Whether the event is added to a run that already gathers, if there is one."""
        return "gathered" in self.cause and not self.is_late


def handle_events(entries: Sequence[LogEntry], received_at: datetime) -> None:
    """Start the runs that these events start, then signal the runs that await them."""
    names = _event_names()
    starts = list(_run_starts(entries, names, received_at))
    awaited_entries = [entry for entry in entries if entry.name in names.awaited]
    changed = 0
    if starts:
        changed += len(start_runs(starts, now=received_at))
    if awaited_entries:
        events = [_awaited_event(entry) for entry in awaited_entries]
        params = {"events": json(events), "now": received_at}
        changed += len(sql.rows("signal_waiting_runs", params))
    if changed:
        notify.after_commit("butler.tick")


def start_runs(starts: Sequence[RunStart], *, now: datetime) -> list[UUID]:
    """Start runs in the open transaction; return the ids of the new runs."""
    return [id_ for (id_,) in sql.rows("start_runs", {"starts": json(starts), "now": now})]


def scheduled_start(
    version: LoadedVersion,
    customer_id: UUID,
    occasion: str,
    cause: Mapping[str, object],
    due_at: datetime,
    now: datetime,
) -> RunStart:
    """Return the start of a run for a date, a schedule or a topic, due at `due_at`."""
    return RunStart(
        run_id=uuid7(),
        decision_id=uuid7(),
        version_id=version.id,
        customer_id=customer_id,
        occasion=occasion,
        occurred_at=due_at,
        cause=cause,
        due_at=max(due_at, now),
        is_late=due_at + civil_time.parse_duration(version.document.expires) <= now,
        is_kept_when_late=True,
    )


def shorten_key(text: str) -> str:
    """Return the text, or its hash if the text is longer than the column."""
    if len(text) <= _MAX_KEY_LENGTH:
        return text
    return blake2b(text.encode(), digest_size=32).hexdigest()


def _awaited_event(entry: LogEntry) -> dict[str, object]:
    return {
        "customer_id": entry.customer_id,
        "name": entry.name,
        "about": entry.about,
        "occurred_at": entry.occurred_at,
        "version": entry.version,
    }


def _run_starts(
    entries: Sequence[LogEntry], names: EventNames, now: datetime
) -> Iterator[RunStart]:
    gathering: dict[tuple[UUID, int], RunStart] = {}
    for entry in entries:
        # Events of our own messages start no runs, because an automation could trigger itself.
        if entry.name in names.starting and entry.kind != "message":
            for version in names.starting[entry.name]:
                start = _run_start_or_none(entry, version, now)
                if start is None:
                    continue
                key = (start.customer_id, start.version_id)
                first = gathering.setdefault(key, start) if start.is_gathering else start
                if first is start:
                    yield start
                else:
                    first.cause["gathered"].append(_event_reference(entry))


def _run_start_or_none(entry: LogEntry, version: LoadedVersion, now: datetime) -> RunStart | None:
    """Return the start of a run; None if it fails. The event is stored in both cases."""
    try:
        return _run_start(entry, version, now)
    except FAULTS as error:
        _log.error("no run of automation version %d started: %s", version.id, describe_fault(error))
        return None


def _run_start(entry: LogEntry, version: LoadedVersion, now: datetime) -> RunStart:
    document, trigger = version.document, version.document.trigger
    start = RunStart(
        run_id=uuid7(),
        decision_id=uuid7(),
        version_id=version.id,
        customer_id=entry.customer_id,
        occasion=shorten_key(_occasion(entry, document.once_per)),
        occurred_at=entry.occurred_at,
        cause=_event_reference(entry) | {"about": entry.about, "name": entry.name},
        due_at=now,
        customer_version=entry.version,
    )
    within = _NO_TIME
    if isinstance(trigger, OnAbsence):
        within = civil_time.parse_duration(trigger.within)
        _await_absence(start, trigger, entry, max(now, entry.occurred_at + within))
    elif isinstance(trigger, OnEvent) and trigger.gather:
        start.step = BEFORE_FIRST_STEP
        start.cause = {**start.cause, "gathered": [_event_reference(entry)]}
    start.is_late = entry.occurred_at + within + civil_time.parse_duration(document.expires) <= now
    return start


def _await_absence(start: RunStart, trigger: OnAbsence, entry: LogEntry, due_at: datetime) -> None:
    start.step, start.awaited, start.due_at = BEFORE_FIRST_STEP, trigger.absent, due_at
    start.awaited_about = entry.about if trigger.same == "about" else ""


def _event_reference(entry: LogEntry) -> dict[str, object]:
    """Return the position of an event: its log (a customer id) and its version."""
    return {"log": entry.customer_id, "version": entry.version}


def _occasion(entry: LogEntry, once_per: str) -> str:
    if once_per == "customer":
        return ""
    if once_per == "day":
        return civil_time.local_day(entry.occurred_at, company_zone()).isoformat()
    # An event without a subject is its own occasion.
    return (entry.about if once_per == "about" else "") or entry.message_key


# The names of events, cached for two seconds at most ------------------------------------

_cache: tuple[float, EventNames] | None = None
_lock = threading.Lock()


def _event_names() -> EventNames:
    global _cache
    cached = _cache
    seconds = _CACHE_SECONDS if settings.BUTLER_ACTIVATION_SECONDS else 0.0
    if cached is None or time.monotonic() - cached[0] >= seconds:
        with _lock:
            cached = _cache = (time.monotonic(), _read_event_names())
    return cached[1]


def _read_event_names() -> EventNames:
    starting: dict[str, list[LoadedVersion]] = {}
    awaited: set[str] = set()
    for id_, automation_id, document, event_names, awaited_names in sql.rows("read_triggers", {}):
        awaited.update(map(canonical_name, awaited_names))
        if version := versions.decode(id_, automation_id, document):
            for name in event_names:
                starting.setdefault(canonical_name(name), []).append(version)
    return EventNames(starting, frozenset(awaited))
