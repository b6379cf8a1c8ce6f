"""Finds what is due by the calendar, and whom a change of a topic concerns.

Nobody counts down to a date: every few minutes the visits of the next two days become runs, and
once a day the birthdays of that day, each with its moment on the customer's clock. What moves meanwhile is looked at again when the
moment comes. Crowds are gone through by butler.automations.fan_out.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from butler import sql
from butler.automations import audiences, triggers, versions
from butler.automations.triggers import RunStart
from butler.automations.versions import Version
from butler.decisions.inputs import company_zone
from butler.document import OnDate, OnSchedule, OnTopic
from butler.due import civil_time, notify
from butler.due.queue import ClaimedDue, Reschedule
from butler.models import AutomationVersion, Due, TopicStatus
from customers.sql import json

OFTEN = timedelta(minutes=10)
AHEAD = timedelta(hours=48)
BATCH = 2000
_DAY = timedelta(days=1)
# Where a day begins first.
_EARLIEST = ZoneInfo("Pacific/Kiritimati")


# Dates on the record --------------------------------------------------------------------


class _Coming(NamedTuple):
    """One date that comes up: a row of plan_orders, plan_members or plan_traits."""

    customer_id: UUID
    about: str
    on: date
    day: date
    zone: str
    known_since: datetime | None


def plan_dates(task: ClaimedDue, now: datetime) -> Reschedule:
    """Have the dates that come up looked for.

    Visits move until they are there, so those of the next two days are gone through at every
    look. What returns each year is gone through once for each day, when it begins anywhere.
    """
    planned = task.facts.get("planned", {})
    today = civil_time.local_day(now, company_zone())
    kept, rows = {}, []
    for version in _live("date"):
        trigger = version.document.trigger
        assert isinstance(trigger, OnDate)
        if not _is_yearly(trigger):
            rows.append(Due(job="plan_date", key=str(version.id), due_at=now))
            continue
        last = date.fromisoformat(planned.get(str(version.id), str(today - 3 * _DAY)))
        for day in _after(last, today):
            due_at = civil_time.resolve(day, trigger.at, _EARLIEST)
            rows.append(Due(job="plan_date", key=f"{version.id}:{day}", due_at=due_at))
        kept[str(version.id)] = str(max(last, today + _DAY))
    Due.objects.bulk_create(rows, ignore_conflicts=True)
    return Reschedule(now + OFTEN, {"planned": kept})


def plan_date(task: ClaimedDue, now: datetime) -> Reschedule | None:
    """Make runs of the dates that come up, a batch at a time."""
    number, _, day = task.key.partition(":")
    version = versions.read([int(number)]).get(int(number))
    if version is None:
        return None
    coming = _coming(version, date.fromisoformat(day) if day else None, task.facts, now)
    starts = [one for row in coming if (one := _of_date(row, version, now))]
    if starts:
        triggers.start_runs(starts, now=now)
    if len(coming) < BATCH:
        return None
    return Reschedule(now, {"customer": str(coming[-1].customer_id), "about": coming[-1].about})


def _is_yearly(trigger: OnDate) -> bool:
    return not trigger.date.startswith("order.")


def _after(last: date, today: date) -> Iterator[date]:
    """Yield the days that were not planned yet; what is past for two days is past."""
    for days in range(-2, 2):
        if (day := today + days * _DAY) > last:
            yield day


def _coming(
    version: Version, day: date | None, cursor: Mapping[str, Any], now: datetime
) -> list[_Coming]:
    trigger = version.document.trigger
    assert isinstance(trigger, OnDate)
    days = list(_returning(trigger, day) if day else _days(trigger, now))
    where, _, name = trigger.date.partition(".")
    params = {
        "automation": version.automation_id,
        "days": json(days),
        "of_year": [one["of_year"] for one in days if "of_year" in one],
        "name": name,
        "customer": cursor.get("customer", audiences.NOBODY),
        "about": cursor.get("about", ""),
        "most": BATCH,
    }
    return [_Coming(*row) for row in sql.rows(f"plan_{where}s", params)]


def _days(trigger: OnDate, now: datetime) -> Iterator[Mapping[str, object]]:
    """Yield the dates whose moment may be at hand somewhere, and when to act on each."""
    day, last = (now - AHEAD - _DAY).date(), (now + AHEAD + _DAY).date()
    while day <= last:
        yield {"on": day + timedelta(days=trigger.days_before), "day": day}
        day += _DAY


def _returning(trigger: OnDate, day: date) -> Iterator[Mapping[str, object]]:
    """Yield the days of the year to act on on one day: two where 29 February has none."""
    on = day + timedelta(days=trigger.days_before)
    yield _day_of_year(on, day, on.month, on.day)
    if (on.month, on.day) != (2, 29) and civil_time.anniversary(date(2000, 2, 29), on.year) == on:
        yield _day_of_year(on, day, 2, 29)


def _day_of_year(on: date, day: date, month: int, of: int) -> Mapping[str, object]:
    of_year = f"{month:02}-{of:02}"
    return {"on": on, "day": day, "month": month, "of": of, "of_year": of_year}


def _of_date(row: _Coming, version: Version, now: datetime) -> RunStart | None:
    trigger = version.document.trigger
    assert isinstance(trigger, OnDate)
    zone = civil_time.find_zone(row.zone) or company_zone()
    moment = civil_time.resolve(row.day, trigger.at, zone)
    # Who ordered after it was time to remind needs no reminder of it.
    is_news = row.known_since is not None and row.known_since > moment
    if is_news or not now - AHEAD <= moment <= now + AHEAD:
        return None
    cause = {"about": row.about, "on": row.on, "day": row.day, "at": trigger.at}
    occasion = triggers.shorten_key(f"{row.about}:{row.day}")
    return triggers.scheduled_start(version, row.customer_id, occasion, cause, moment, now)


# Schedules ------------------------------------------------------------------------------


def plan_schedules(task: ClaimedDue, now: datetime) -> Reschedule:
    """Have everybody gone through for each day of a schedule, before it begins anywhere."""
    planned = task.facts.get("planned", {})
    today = civil_time.local_day(now, company_zone())
    kept = {}
    for version in _live("schedule"):
        trigger = version.document.trigger
        assert isinstance(trigger, OnSchedule)
        last = date.fromisoformat(planned.get(str(version.id), str(today - 2 * _DAY)))
        for day in (today - _DAY, today, today + _DAY):
            if day > last and _is_on(trigger, day):
                _fan_out_on(version, trigger, day)
        kept[str(version.id)] = str(max(last, today + _DAY))
    return Reschedule(now + OFTEN, {"planned": kept})


def _is_on(trigger: OnSchedule, day: date) -> bool:
    return day.isoweekday() in trigger.days or day.isoformat() in trigger.dates


def _fan_out_on(version: Version, trigger: OnSchedule, day: date) -> None:
    cause = {"day": str(day), "at": trigger.at}
    facts = {"version": version.id, "audience": trigger.audience, "cause": cause}
    Due.objects.bulk_create(
        [
            Due(
                job="fan_out",
                key=f"{version.id}:{day}",
                facts=facts | {"occasion": str(day)},
                # Whoever gives or takes back a consent until then is counted rightly.
                due_at=civil_time.resolve(day, trigger.at, _EARLIEST),
            )
        ],
        ignore_conflicts=True,
    )


# Topics ---------------------------------------------------------------------------------


def tell_of_topic(status: TopicStatus, *, now: datetime) -> int:
    """Have those gone through whom a change of a topic may concern; return by how many plays."""
    rows = []
    for version in _live("topic"):
        trigger = version.document.trigger
        assert isinstance(trigger, OnTopic)
        if trigger.status != status.status or not trigger.is_about(status.key):
            continue
        occasion = f"{status.key}:{status.serial}"
        cause = {"topic": status.key, "status": status.status, "serial": status.serial}
        facts = {
            "version": version.id,
            "audience": trigger.audience,
            "cause": cause,
            "occasion": triggers.shorten_key(occasion),
            "moment": now.isoformat(),
        }
        key = triggers.shorten_key(f"{version.id}:{occasion}")
        rows.append(Due(job="fan_out", key=key, facts=facts, due_at=now))
    Due.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        notify.after_commit("butler.tick")
    return len(rows)


def _live(trigger: str) -> list[Version]:
    ids = AutomationVersion.objects.filter(status="live", trigger=trigger)
    return list(versions.read(ids.values_list("id", flat=True)).values())
