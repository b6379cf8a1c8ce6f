"""A run during its interpretation: its memory, its decisions and its new state. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from butler.automations.run_contacts import contact_of
from butler.automations.run_state import (
    EndedState,
    RunDecision,
    RunMemory,
    RunSnapshot,
    WaitingState,
)
from butler.due import civil_time
from butler.types import Gate, Rules


class RunProgressBuilder:
    """The snapshot of a run, with its memory, decisions and state so far."""

    def __init__(self, snapshot: RunSnapshot, rules: Rules, now: datetime, zone: ZoneInfo) -> None:
        self.snapshot, self.rules, self.now = snapshot, rules, now
        self.document = snapshot.document
        self.zone = _zone_of(snapshot.context, zone)
        self.memory = snapshot.memory
        self.decisions: list[RunDecision] = []
        self.state: WaitingState | EndedState | None = None

    def wait_at(self, step: str, until: datetime, memory: RunMemory) -> None:
        """Let the run wait at a step until a time."""
        self.state = WaitingState(step, until, memory)

    def cancel(self, code: str) -> None:
        """Cancel the run, with a decision that has the reason code."""
        contact = contact_of(self.snapshot, self.memory, "")
        gate = Gate(gate="run", layer="company", verdict="deny", code=code)
        version = self.rules.version
        self.decisions.append(RunDecision("skip", code, contact, [gate], rules_version=version))
        self.state = EndedState("cancelled", code)


def _zone_of(context: Mapping[str, Any], fallback: ZoneInfo) -> ZoneInfo:
    """Return the customer's time zone, or the fallback if it is unknown."""
    return civil_time.find_zone(context.get("customer", {}).get("zone", "")) or fallback
