"""The start of a run: it gathers events, is cancelled, or waits for an absence. Pure."""

from datetime import date, datetime, timedelta

import msgspec

from butler.automations.cancellation import cancel_code
from butler.automations.run_progress_builder import RunProgressBuilder
from butler.automations.run_state import BEFORE_FIRST_STEP, RunMemory, WaitingState
from butler.document import OnAbsence, OnEvent
from butler.due import civil_time

# A due time within this tolerance counts as reached.
_TOLERANCE = timedelta(minutes=1)


def first_step(run: RunProgressBuilder) -> str | None:
    """Return the path of the step to run next; None if the run waits or has ended."""
    if _is_gathering(run):
        return None
    if code := cancel_code(run.snapshot):
        run.cancel(code)
        return None
    if due_at := _later_due_at(run):
        memory = msgspec.structs.replace(run.memory, since=due_at)
        run.state = WaitingState(run.snapshot.step, due_at, memory)
        return None
    if run.snapshot.step != BEFORE_FIRST_STEP:
        return run.snapshot.step
    return _end_of_absence(run) if isinstance(run.document.trigger, OnAbsence) else "0"


def _is_gathering(run: RunProgressBuilder) -> bool:
    """Let the run wait while it gathers events; return whether it waits."""
    trigger = run.document.trigger
    if run.snapshot.step != BEFORE_FIRST_STEP or not isinstance(trigger, OnEvent):
        return False
    until = civil_time.end_of(trigger.gather, run.snapshot.occurred_at, run.zone)
    if until > run.now:
        run.wait_at(BEFORE_FIRST_STEP, until, run.memory)
        return True
    run.memory = RunMemory(since=until)
    return False


def _later_due_at(run: RunProgressBuilder) -> datetime | None:
    """Return the later due time of a customer whose time zone changed; None if it is not later."""
    cause = run.snapshot.cause
    if "at" not in cause or run.snapshot.step != "0" or run.memory.entered:
        return None
    due_at = civil_time.local_to_instant(date.fromisoformat(cause["day"]), cause["at"], run.zone)
    return due_at if due_at > run.now + _TOLERANCE else None


def _end_of_absence(run: RunProgressBuilder) -> str | None:
    assert isinstance(run.document.trigger, OnAbsence)
    if run.snapshot.has_awaited_event:
        run.cancel("cancelled_by_event")
        return None
    trigger = run.document.trigger
    until = run.snapshot.occurred_at + civil_time.parse_duration(trigger.within)
    if until > run.now:
        run.state = WaitingState(BEFORE_FIRST_STEP, until, run.memory, trigger.absent)
        return None
    run.memory = RunMemory(since=until)
    return "0"
