"""Who belongs to a customer's party: guardians, children without an account, guests. Pure."""

from collections.abc import Iterable
from datetime import date

import msgspec

from customers.projections.facts import Fact, day, in_order, text

PREFIX = "member:"
_CHANGED, _REMOVED = "Party Member Changed", "Party Member Removed"
NAMES = frozenset({_CHANGED, _REMOVED})
ROLES = ("guardian", "child", "guest")


class MemberState(msgspec.Struct):
    reference: str
    version: int
    name: str = ""
    role: str = "guest"
    birth_date: date | None = None
    guardian: str = ""
    details: dict[str, object] = {}


def fold(reference: str, facts: Iterable[Fact]) -> MemberState | None:
    """Return the member as last described; None once removed."""
    state: MemberState | None = None
    for fact in in_order(facts):
        if fact.name == _REMOVED:
            state = None
        elif fact.name == _CHANGED:
            state = state or MemberState(reference, fact.version)
            _take(state, fact.properties)
            state.version = max(state.version, fact.version)
    return state


def _take(state: MemberState, properties: dict[str, object]) -> None:
    state.name = text(properties, "name") or state.name
    role = text(properties, "role")
    state.role = role if role in ROLES else state.role
    if "birth_date" in properties:
        state.birth_date = day(properties["birth_date"])
    if "guardian" in properties:
        state.guardian = text(properties, "guardian")
    own_fields = {"name", "role", "birth_date", "guardian", "reference"}
    rest = {name: value for name, value in properties.items() if name not in own_fields}
    state.details = {**state.details, **rest}
