"""Schedules runs for dates on the record, for schedules, and for changes of a topic.

Every ten minutes a job starts runs for the visits of the next two days. Once a day it starts
runs for the birthdays of that day. Each run is due at its time in the customer's time zone. If
the date moves before then, the run ends when it is due. butler.automations.fan_out starts the
runs for audiences.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from butler import sql
from butler.automations import audiences, triggers, versions
from butler.automations.triggers import RunStart
from butler.automations.versions import LoadedVersion
from butler.decisions.inputs import company_zone
from butler.document import OnDate, OnSchedule, OnTopic
from butler.due import civil_time, notify
from butler.due.queue import ClaimedDue, Reschedule
from butler.models import AutomationVersion, Due, TopicStatus
from customers.sql import json

INTERVAL = timedelta(minutes=10)
HORIZON = timedelta(hours=48)
BATCH = 2000
_DAY = timedelta(days=1)
# The zone in which a day begins first.
_EARLIEST_ZONE = ZoneInfo("Pacific/Kiritimati")


# Dates on the record --------------------------------------------------------------------


class _UpcomingDate(NamedTuple):
    """A row of find_upcoming_orders, find_upcoming_members or find_upcoming_traits."""

    customer_id: UUID
    about: str
    upcoming_date: date
    # The date on which the run is due.
    action_date: date
    zone: str
    known_since: datetime | None


def plan_dates(due: ClaimedDue, now: datetime) -> Reschedule:
    """Insert the due rows that look for upcoming dates.

    A visit may move until its day, so each call plans a search for the visits of the next two
    days. Yearly dates have one search a day, due when the day begins in the earliest time zone.
    """
    planned = due.parameters.get("planned", {})
    today = civil_time.local_day(now, company_zone())
    planned_until, rows = {}, []
    for version in _live_versions("date"):
        trigger = version.document.trigger
        assert isinstance(trigger, OnDate)
        if not _is_yearly(trigger):
            rows.append(Due(job="plan_date", key=str(version.id), due_at=now))
            continue
        last = date.fromisoformat(planned.get(str(version.id), str(today - 3 * _DAY)))
        rows += [_yearly_due(version, trigger, day) for day in _unplanned_days(last, today)]
        planned_until[str(version.id)] = str(max(last, today + _DAY))
    Due.objects.bulk_create(rows, ignore_conflicts=True)
    return Reschedule(now + INTERVAL, {"planned": planned_until})


def plan_date(due: ClaimedDue, now: datetime) -> Reschedule | None:
    """Start the runs of one batch of upcoming dates; return the next batch, or None."""
    version_id, _, day = due.key.partition(":")
    version = versions.read([int(version_id)]).get(int(version_id))
    if version is None:
        return None
    upcoming = _upcoming_dates(
        version, date.fromisoformat(day) if day else None, due.parameters, now
    )
    starts = [start for row in upcoming if (start := _run_start(row, version, now))]
    if starts:
        triggers.start_runs(starts, now=now)
    if len(upcoming) < BATCH:
        return None
    return Reschedule(now, {"customer": str(upcoming[-1].customer_id), "about": upcoming[-1].about})


def _yearly_due(version: LoadedVersion, trigger: OnDate, day: date) -> Due:
    due_at = civil_time.local_to_instant(day, trigger.at, _EARLIEST_ZONE)
    return Due(job="plan_date", key=f"{version.id}:{day}", due_at=due_at)


def _is_yearly(trigger: OnDate) -> bool:
    return not trigger.date.startswith("order.")


def _unplanned_days(last: date, today: date) -> Iterator[date]:
    """Yield the days from two days ago until tomorrow that are not planned yet."""
    for days in range(-2, 2):
        if (day := today + days * _DAY) > last:
            yield day


def _upcoming_dates(
    version: LoadedVersion, day: date | None, cursor: Mapping[str, Any], now: datetime
) -> list[_UpcomingDate]:
    trigger = version.document.trigger
    assert isinstance(trigger, OnDate)
    days = list(_yearly_days(trigger, day) if day else _days(trigger, now))
    kind, _, name = trigger.date.partition(".")
    params = {
        "automation": version.automation_id,
        "days": json(days),
        "month_days": [day["month_day"] for day in days if "month_day" in day],
        "name": name,
        "customer": cursor.get("customer", audiences.FIRST_CURSOR),
        "about": cursor.get("about", ""),
        "limit": BATCH,
    }
    return [_UpcomingDate(*row) for row in sql.rows(f"find_upcoming_{kind}s", params)]


def _days(trigger: OnDate, now: datetime) -> Iterator[Mapping[str, object]]:
    """Yield the dates that may be due in some time zone, each with the date of the run."""
    day, last = (now - HORIZON - _DAY).date(), (now + HORIZON + _DAY).date()
    while day <= last:
        yield {"upcoming_date": day + timedelta(days=trigger.days_before), "action_date": day}
        day += _DAY


def _yearly_days(trigger: OnDate, day: date) -> Iterator[Mapping[str, object]]:
    """Yield the yearly dates of one day; 28 February in a common year also yields 29 February."""
    upcoming = day + timedelta(days=trigger.days_before)
    yield _day_of_year(upcoming, day, upcoming.month, upcoming.day)
    leap_day = civil_time.anniversary(date(2000, 2, 29), upcoming.year)
    if (upcoming.month, upcoming.day) != (2, 29) and leap_day == upcoming:
        yield _day_of_year(upcoming, day, 2, 29)


def _day_of_year(
    upcoming: date, action: date, month: int, day_of_month: int
) -> Mapping[str, object]:
    return {
        "upcoming_date": upcoming,
        "action_date": action,
        "month": month,
        "day_of_month": day_of_month,
        "month_day": f"{month:02}-{day_of_month:02}",
    }


def _run_start(row: _UpcomingDate, version: LoadedVersion, now: datetime) -> RunStart | None:
    trigger = version.document.trigger
    assert isinstance(trigger, OnDate)
    zone = civil_time.find_zone(row.zone) or company_zone()
    due_at = civil_time.local_to_instant(row.action_date, trigger.at, zone)
    # An order that was placed after the due time gets no reminder.
    is_news = row.known_since is not None and row.known_since > due_at
    if is_news or not now - HORIZON <= due_at <= now + HORIZON:
        return None
    cause = {"about": row.about, "on": row.upcoming_date, "day": row.action_date, "at": trigger.at}
    occasion = triggers.shorten_key(f"{row.about}:{row.action_date}")
    return triggers.scheduled_start(version, row.customer_id, occasion, cause, due_at, now)


# Schedules ------------------------------------------------------------------------------


def plan_schedules(due: ClaimedDue, now: datetime) -> Reschedule:
    """Insert one fan-out for each schedule and day, due in the earliest time zone."""
    planned = due.parameters.get("planned", {})
    today = civil_time.local_day(now, company_zone())
    planned_until = {}
    for version in _live_versions("schedule"):
        trigger = version.document.trigger
        assert isinstance(trigger, OnSchedule)
        last = date.fromisoformat(planned.get(str(version.id), str(today - 2 * _DAY)))
        for day in (today - _DAY, today, today + _DAY):
            if day > last and _is_scheduled(trigger, day):
                _insert_fan_out(version, trigger, day)
        planned_until[str(version.id)] = str(max(last, today + _DAY))
    return Reschedule(now + INTERVAL, {"planned": planned_until})


def _is_scheduled(trigger: OnSchedule, day: date) -> bool:
    return day.isoweekday() in trigger.days or day.isoformat() in trigger.dates


def _insert_fan_out(version: LoadedVersion, trigger: OnSchedule, day: date) -> None:
    cause = {"day": str(day), "at": trigger.at}
    parameters = {"version": version.id, "audience": trigger.audience, "cause": cause}
    Due.objects.bulk_create(
        [
            Due(
                job="fan_out",
                key=f"{version.id}:{day}",
                facts=parameters | {"occasion": str(day)},
                # The fan-out obeys all consents until this time.
                due_at=civil_time.local_to_instant(day, trigger.at, _EARLIEST_ZONE),
            )
        ],
        ignore_conflicts=True,
    )


# Topics ---------------------------------------------------------------------------------


def schedule_topic_fan_outs(status: TopicStatus, *, now: datetime) -> int:
    """Insert the fan-outs that a change of a topic starts; return how many."""
    rows = []
    for version in _live_versions("topic"):
        trigger = version.document.trigger
        assert isinstance(trigger, OnTopic)
        if trigger.status != status.status or not trigger.matches(status.key):
            continue
        rows.append(_topic_fan_out(version, trigger, status, now))
    Due.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        notify.after_commit("butler.tick")
    return len(rows)


def _topic_fan_out(
    version: LoadedVersion, trigger: OnTopic, status: TopicStatus, now: datetime
) -> Due:
    occasion = f"{status.key}:{status.serial}"
    parameters = {
        "version": version.id,
        "audience": trigger.audience,
        "cause": {"topic": status.key, "status": status.status, "serial": status.serial},
        "occasion": triggers.shorten_key(occasion),
        "moment": now.isoformat(),
    }
    key = triggers.shorten_key(f"{version.id}:{occasion}")
    return Due(job="fan_out", key=key, facts=parameters, due_at=now)


def _live_versions(trigger: str) -> list[LoadedVersion]:
    ids = AutomationVersion.objects.filter(status="live", trigger=trigger)
    return list(versions.read(ids.values_list("id", flat=True)).values())
