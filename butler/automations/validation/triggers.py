"""Validates the trigger of an automation. Pure."""

import re
from collections.abc import Callable
from datetime import date

from butler.automations.validation.problems import AllowedReferences, Problems, parse_problem
from butler.document import AutomationDocument, OnAbsence, OnDate, OnEvent, OnSchedule, OnTopic
from butler.due import civil_time

_DATE = re.compile(r"(order\.visit_date|member\.birth_date|trait\.\w{1,64})\Z")
_AUDIENCE = re.compile(r"(everyone|visiting_today|consented:[\w-]+|notified:[\w-]+)\Z")


def trigger_problems(document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    """Check the trigger by its kind."""
    if getattr(document.trigger, "gather", "") and document.once_per != "event":
        yield "once_per", "must be event if the trigger gathers events"
    find = _TRIGGER_CHECKS[type(document.trigger)]
    yield from ((f"trigger.{field}", reason) for field, reason in find(document.trigger, allowed))


def _on_event(trigger: OnEvent, allowed: AllowedReferences) -> Problems:
    if not trigger.event.strip():
        yield "event", "is missing"
    if trigger.gather:
        yield from parse_problem("gather", trigger.gather, civil_time.check_end)


def _on_absence(trigger: OnAbsence, allowed: AllowedReferences) -> Problems:
    if not trigger.event.strip():
        yield "event", "is missing"
    if not trigger.absent.strip() or trigger.absent == trigger.event:
        yield "absent", "must be another event than trigger.event"
    yield from parse_problem("within", trigger.within, civil_time.parse_duration)


def _on_date(trigger: OnDate, allowed: AllowedReferences) -> Problems:
    if not _DATE.match(trigger.date):
        yield "date", "must be order.visit_date, member.birth_date or trait.<name>"
    if not 0 <= trigger.days_before <= 365:
        yield "days_before", "must be from 0 to 365"
    yield from parse_problem("at", trigger.at, civil_time.parse_clock)


def _on_topic(trigger: OnTopic, allowed: AllowedReferences) -> Problems:
    if not trigger.topic.strip() or not trigger.status.strip():
        yield "topic", "needs a topic such as ride:*, and a status such as down"
    yield from _audience(trigger.audience, allowed)


def _on_schedule(trigger: OnSchedule, allowed: AllowedReferences) -> Problems:
    if bool(trigger.days) == bool(trigger.dates):
        yield "days", "must have either days of the week (days) or dates (dates)"
    if any(not 1 <= day <= 7 for day in trigger.days):
        yield "days", "must be from 1 (Monday) to 7 (Sunday)"
    for day in trigger.dates:
        yield from parse_problem("dates", day, date.fromisoformat)
    yield from parse_problem("at", trigger.at, civil_time.parse_clock)
    yield from _audience(trigger.audience, allowed)


def _audience(audience: str, allowed: AllowedReferences) -> Problems:
    kind, _, name = audience.partition(":")
    if not _AUDIENCE.match(audience):
        yield (
            "audience",
            "must be everyone, visiting_today, consented:<purpose> or notified:<automation>",
        )
    elif kind == "consented" and name not in allowed.purposes:
        yield "audience", f"there is no purpose {name}"


_TRIGGER_CHECKS: dict[type, Callable[..., Problems]] = {
    OnEvent: _on_event,
    OnAbsence: _on_absence,
    OnDate: _on_date,
    OnTopic: _on_topic,
    OnSchedule: _on_schedule,
}
