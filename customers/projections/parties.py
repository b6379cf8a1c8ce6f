"""Folds the events of a party member: a guardian, a child without an account, a guest. Pure."""

from collections.abc import Iterable
from datetime import date

import msgspec

from customers.projections.projected_events import ProjectedEvent, counted_events, parse_text
from customers.values.times import read_date

PREFIX = "member:"
CHANGED, _REMOVED = "Party Member Changed", "Party Member Removed"
NAMES = frozenset({CHANGED, _REMOVED})
ROLES = ("guardian", "child", "guest")


class MemberState(msgspec.Struct):
    reference: str
    version: int
    name: str = ""
    role: str = "guest"
    birth_date: date | None = None
    guardian: str = ""
    details: dict[str, object] = {}


def fold(reference: str, events: Iterable[ProjectedEvent]) -> MemberState | None:
    """Return the current state of a member; None if the member is removed or was never added."""
    state: MemberState | None = None
    for event in counted_events(events):
        if event.name == _REMOVED:
            state = None
        elif event.name == CHANGED:
            state = state or MemberState(reference, event.version)
            _take(state, event)
            state.version = max(state.version, event.version)
    return state


def _take(state: MemberState, event: ProjectedEvent) -> None:
    properties = event.properties
    state.name = parse_text(properties, "name") or state.name
    role = parse_text(properties, "role")
    state.role = role if role in ROLES else state.role
    if "birth_date" in properties:
        birth_date = read_date(properties["birth_date"], event.zone)
        state.birth_date = state.birth_date if birth_date.doubt else birth_date.value
    if "guardian" in properties:
        state.guardian = parse_text(properties, "guardian")
    own_fields = {"name", "role", "birth_date", "guardian", "reference"}
    rest = {name: value for name, value in properties.items() if name not in own_fields}
    state.details = {**state.details, **rest}
