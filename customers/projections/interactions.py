"""Folds the events of a call, a visit or a chat into its current state. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from customers.projections.projected_events import ProjectedEvent, counted_events, parse_text

PREFIXES = ("call:", "visit:", "chat:")

# The last word of an event's name is the stage of the interaction. The furthest stage holds in any
# order of the events, because the clocks of telephone systems differ by seconds.
_STAGES = {"Started": 0, "Answered": 1, "Ended": 2}
_STATUS = ("ringing", "answered", "ended")
NAMES = frozenset(f"{kind} {stage}" for kind in ("Call", "Visit", "Chat") for stage in _STAGES)


class InteractionState(msgspec.Struct):
    reference: str
    kind: str
    channel: str
    started_at: datetime
    version: int
    status: str = ""
    direction: str = ""
    staff: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    details: dict[str, object] = {}
    # Those who answered, in this order. With more than one, the call was transferred.
    colleagues: tuple[str, ...] = ()


def fold(reference: str, events: Iterable[ProjectedEvent]) -> InteractionState | None:
    """Return the interaction from these events; None if no event has a known stage."""
    state: InteractionState | None = None
    stage = 0
    for event in counted_events(events):
        reached = _STAGES.get(event.name.rpartition(" ")[2])
        if reached is None:
            continue
        if state is None:
            kind = reference.partition(":")[0]
            state = InteractionState(
                reference, kind, event.channel, event.occurred_at, event.version
            )
        staff = parse_text(event.properties, "user", "agent", "staff")
        if reached == 1 and state.ended_at and staff not in ("", *state.colleagues):
            # The first colleague hung up after the transfer to this one.
            state.ended_at, stage = None, reached
        stage = max(stage, reached)
        _take(state, event, reached, staff)
        state.version = max(state.version, event.version)
    if state:
        missed = stage == 2 and state.answered_at is None and state.kind == "call"
        state.status = "missed" if missed else _STATUS[stage]
        if len(state.colleagues) > 1:
            state.details = {**state.details, "colleagues": ", ".join(state.colleagues)}
    return state


def _take(state: InteractionState, event: ProjectedEvent, reached: int, staff: str) -> None:
    if reached == 1:
        state.answered_at = state.answered_at or event.occurred_at
        if staff and staff not in state.colleagues:
            state.colleagues = (*state.colleagues, staff)
    elif reached == 2:
        # A call can end twice: each telephone of it ends, and a request may be sent again.
        state.ended_at = state.ended_at or event.occurred_at
    state.direction = parse_text(event.properties, "direction")[:8] or state.direction
    state.staff = staff or state.staff
    for name in ("cause", "from", "to", "number", "display_name", "queue", "subject"):
        if value := parse_text(event.properties, name):
            state.details = {**state.details, name: value}
