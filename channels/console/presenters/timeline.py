"""A timeline for the console. The functions convert shapes to values; no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from channels.console.presenters import labels
from channels.pages.presenters.events import headline
from channels.pages.presenters.timeline import (
    ReferenceNames,
    channel_icon,
    is_claimed,
    message_id_of,
    statement_details,
    without_copies,
)
from channels.pages.time import in_company_zone
from customers.identity.refiling import FIXED_KINDS
from customers.queries.shapes import EventShape, body_properties
from customers.types import ACCOUNT_OPENED, ADDRESS_PROVED

# Events of one sign-in. A timeline shows several in a row as one entry.
_SIGN_INS = (ADDRESS_PROVED, ACCOUNT_OPENED)


@dataclass(frozen=True, slots=True)
class StaffTimelineEntry:
    """One event of a timeline in the console, or several sign-ins in a row."""

    log: UUID
    version: int
    headline: str
    detail: str
    channel: str
    icon: str
    actor: str
    is_claimed: bool
    # True if a customer token proved the customer of the event.
    is_signed_in: bool
    occurred_at: datetime
    # True if staff may re-file the event on another customer.
    can_move: bool

    @property
    def key(self) -> str:
        """A text that is unique on the timeline."""
        return f"{self.log}-{self.version}"


@dataclass(frozen=True, slots=True)
class TimelineDay:
    """The entries of one day of the company, the latest first."""

    label: str
    entries: Sequence[StaffTimelineEntry]


def timeline_days(
    events: Iterable[EventShape], names: ReferenceNames, *, today: date
) -> list[TimelineDay]:
    """Return the entries of a timeline in the console, grouped by day."""
    by_day = groupby(without_copies(events), key=lambda event: _day(event.occurred_at))
    return [
        TimelineDay(_day_label(day, today), _entries(list(of_day), names)) for day, of_day in by_day
    ]


def _entries(events: Sequence[EventShape], names: ReferenceNames) -> list[StaffTimelineEntry]:
    """Return the entries of one day; sign-ins in a row are one entry."""
    entries: list[StaffTimelineEntry] = []
    for is_sign_in, in_a_row in groupby(events, key=lambda event: event.name in _SIGN_INS):
        of_row = list(in_a_row)
        if is_sign_in and len(of_row) > 1:
            entries.append(_sign_ins(of_row, names))
        else:
            entries += [_entry(event, names) for event in of_row]
    return entries


def _sign_ins(events: Sequence[EventShape], names: ReferenceNames) -> StaffTimelineEntry:
    times = sum(event.name == ADDRESS_PROVED for event in events)
    first = in_company_zone(events[-1].occurred_at).strftime("%H:%M")
    detail = f"{times} times since {first}" if times > 1 else ""
    latest = _entry(events[0], names)
    return replace(latest, headline="Signed in with a code", detail=detail, can_move=False)


def _entry(event: EventShape, names: ReferenceNames) -> StaffTimelineEntry:
    properties = body_properties(event)
    return StaffTimelineEntry(
        log=event.customer,
        version=event.version,
        headline=headline(event.kind, event.name, properties, for_staff=True),
        detail=_detail(event, properties, names),
        channel=labels.source_channel(event.channel),
        icon=channel_icon(event.channel),
        actor=labels.decision_maker(event.kind, event.actor),
        is_claimed=is_claimed(event),
        is_signed_in=event.is_signed_in,
        occurred_at=event.occurred_at,
        can_move=event.kind not in FIXED_KINDS,
    )


def _detail(event: EventShape, properties: Mapping[str, Any], names: ReferenceNames) -> str:
    if event.kind == "consent":
        return statement_details(event.name, properties, names.catalog)
    parts = (
        names.message_subjects.get(message_id_of(event), ""),
        labels.event_detail(event.kind, event.name, properties),
    )
    return " · ".join(filter(None, parts))


def _day(at: datetime) -> date:
    return in_company_zone(at).date()


def _day_label(day: date, today: date) -> str:
    if today - day in (timedelta(0), timedelta(days=1)):
        return "Today" if day == today else "Yesterday"
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day:%A} {day.day} {day:%B}{year}"
