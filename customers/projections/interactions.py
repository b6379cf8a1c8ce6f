"""What a call, a visit or a chat with a person came to, from its events. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from customers.projections.facts import Fact, in_order, text

PREFIXES = ("call:", "visit:", "chat:")

# The last word of an event's name says how far the interaction is; a later stage stands
# whatever the order of arrival, because clocks of telephone systems disagree by seconds.
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


def fold(reference: str, facts: Iterable[Fact]) -> InteractionState | None:
    """Return the interaction that these facts amount to; None where none of them counts."""
    state: InteractionState | None = None
    stage = 0
    for fact in in_order(facts):
        reached = _STAGES.get(fact.name.rpartition(" ")[2])
        if reached is None:
            continue
        if state is None:
            kind = reference.partition(":")[0]
            state = InteractionState(reference, kind, fact.channel, fact.occurred_at, fact.version)
        stage = max(stage, reached)
        _take(state, fact, reached)
        state.version = max(state.version, fact.version)
    if state:
        missed = stage == 2 and state.answered_at is None and state.kind == "call"
        state.status = "missed" if missed else _STATUS[stage]
    return state


def _take(state: InteractionState, fact: Fact, reached: int) -> None:
    if reached == 1:
        state.answered_at = state.answered_at or fact.occurred_at
    elif reached == 2:
        state.ended_at = fact.occurred_at
    state.direction = text(fact.properties, "direction")[:8] or state.direction
    state.staff = text(fact.properties, "user", "agent", "staff") or state.staff
    for name in ("cause", "from", "to", "queue", "subject"):
        if value := text(fact.properties, name):
            state.details = {**state.details, name: value}
