"""Folds the events of a service request into its current state. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from customers.projections.projected_events import ProjectedEvent, counted_events, parse_text
from customers.types import VERIFIED
from customers.values.times import read_instant

PREFIX = "request:"

REQUESTED = "Callback Requested"
ANSWERED = "Request Answered"
CLOSED = "Request Closed"
NAMES = frozenset({REQUESTED, ANSWERED, CLOSED})
_KIND = "callback"


class RequestState(msgspec.Struct):
    reference: str
    kind: str
    status: str
    subject: str
    channel: str
    opened_at: datetime
    version: int
    wanted_at: datetime | None = None
    closed_at: datetime | None = None
    details: dict[str, object] = {}


def fold(reference: str, events: Iterable[ProjectedEvent]) -> RequestState | None:
    """Return the request from these events; None if no verified event requests anything.

    Only verified events count: an open request is a legal basis for messages, so a claim must not
    open one.
    """
    verified_events = [event for event in counted_events(events) if event.evidence == VERIFIED]
    state: RequestState | None = None
    for event in verified_events:
        if event.name == REQUESTED:
            state = _requested(reference, event, state)
    for event in verified_events:
        # The answer may arrive before the request.
        if state and event.name in (ANSWERED, CLOSED):
            _close(state, event)
            state.version = max(state.version, event.version)
    return state


def _requested(reference: str, event: ProjectedEvent, before: RequestState | None) -> RequestState:
    """Return the request. If it was repeated, the newer event replaces subject and time."""
    return RequestState(
        reference=reference,
        kind=_KIND,
        status="open",
        subject=parse_text(event.properties, "subject")[:500],
        channel=before.channel if before else event.channel,
        opened_at=before.opened_at if before else event.occurred_at,
        version=event.version if before is None else max(before.version, event.version),
        wanted_at=read_instant(event.properties.get("wanted_at")),
        details={"by": event.actor} if event.actor else {},
    )


def _close(state: RequestState, event: ProjectedEvent) -> None:
    # An answered request stays answered, even if staff close it later.
    if state.status != "answered":
        state.status = "answered" if event.name == ANSWERED else "closed"
        state.closed_at = event.occurred_at
    if outcome := parse_text(event.properties, "outcome", "note"):
        state.details = {**state.details, "outcome": outcome[:500]}
