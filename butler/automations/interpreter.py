"""Runs the steps of an automation until the run waits or ends. Pure.

The interpreter returns decisions, messages, tasks and the new state of the run, and writes no
row. The same snapshot with the same facts always gives the same progress.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from butler.automations.channel_decisions import (
    ChannelDecision,
    Deferral,
    decide_until_allowed,
    deferrals,
    run_decision,
)
from butler.automations.conditions import is_met
from butler.automations.first_step import first_step
from butler.automations.handover import task_of_message, task_of_step
from butler.automations.run_contacts import contact_of
from butler.automations.run_progress_builder import RunProgressBuilder
from butler.automations.run_state import (
    EndedState,
    MessageDraft,
    RunDecision,
    RunMemory,
    RunProgress,
    RunSnapshot,
    WaitingState,
)
from butler.decisions.channel_order import order_channels
from butler.document import (
    BranchStep,
    MessageStep,
    NextChannelStep,
    TaskStep,
    WaitForStep,
    WaitStep,
    branch_path,
    next_step_path,
    step_at,
)
from butler.due import civil_time
from butler.types import Gate, Rules

# An event that is stored while a run starts to wait for it signals no run. So the run checks the
# log for the event after this time.
RECHECK_AFTER = timedelta(seconds=2)


def run(snapshot: RunSnapshot, rules: Rules, now: datetime, zone: ZoneInfo) -> RunProgress:
    """Return the progress of a run; customers without a time zone get `zone`."""
    return RunInterpreter(snapshot, rules, now, zone).run()


class RunInterpreter(RunProgressBuilder):
    """Interprets one run. Each method of a step returns the path of the next step, or None."""

    def run(self) -> RunProgress:
        """Run the steps until the run waits or ends; return its progress."""
        path = first_step(self)
        while self.state is None:
            if path is None:
                self.state = EndedState("completed")
                break
            step = step_at(self.document, path)
            path = _STEP_METHODS[type(step)](self, step, path)
        return RunProgress(self.decisions, self.state)

    # Messages ---------------------------------------------------------------------------

    def message(self, step: MessageStep, path: str) -> str | None:
        """Decide on the channels of a message; wait if a channel is deferred."""
        is_resumed = self.memory.entered == path
        channels = self.memory.pending_channels if is_resumed else step.channels
        is_done = self._decide_message(channels, path, texts_step=path, every=step.every)
        return next_step_path(self.document, path) if is_done else None

    def _decide_message(
        self, channels: Sequence[str], path: str, *, texts_step: str, every: bool
    ) -> bool:
        """Decide on a message for these channels; return whether the step is finished."""
        ordered = order_channels(self.snapshot.facts, channels)
        if every:
            deferred = [
                deferral
                for channel in ordered
                for deferral in self._decide_first([channel], path, texts_step)
            ]
        else:
            deferred = self._decide_first(ordered, path, texts_step)
        if not deferred:
            return True
        until = min(deferral.until for deferral in deferred)
        pending = tuple(deferral.channel for deferral in deferred) if every else tuple(channels)
        memory = msgspec.structs.replace(self.memory, entered=path, pending_channels=pending)
        self.state = WaitingState(path, until, memory)
        return False

    def _decide_first(self, channels: Sequence[str], path: str, texts_step: str) -> list[Deferral]:
        """Queue a message for the first channel that is allowed.

        Returns the channels that are deferred, if none is allowed.
        """
        contacts = (contact_of(self.snapshot, self.memory, channel) for channel in channels)
        decided = decide_until_allowed(contacts, self.snapshot, self.rules, self.now)
        if decided and decided[-1].decision.effect == "allow":
            self._add_allowed(decided, path, texts_step)
            return []
        deferred = deferrals(decided)
        if deferred:
            soonest = min(deferred, key=lambda deferral: deferral.until)
            self.decisions.append(run_decision("defer", decided, soonest.channel_decision))
        elif decided:
            self.decisions.append(run_decision("skip", decided, decided[0]))
        return deferred

    def _add_allowed(self, decided: Sequence[ChannelDecision], path: str, texts_step: str) -> None:
        """Queue a message for the last contact, or a task if the customer prefers a person."""
        contact, decision = decided[-1]
        if decision.route_to == "person":
            to_store = run_decision("person", decided, decided[-1])
            to_store.task = task_of_message(
                self.snapshot, texts_step, path, decision.language, self.now
            )
        else:
            to_store = run_decision("send", decided, decided[-1])
            to_store.message = MessageDraft(
                contact.channel, path, texts_step, contact, decision.language
            )
            self._remember_message(texts_step, contact.channel)
        self.decisions.append(to_store)

    def _remember_message(self, texts_step: str, channel: str) -> None:
        is_repeated = self.memory.last_message_step == texts_step
        used = self.memory.used_channels if is_repeated else ()
        self.memory = msgspec.structs.replace(
            self.memory, last_message_step=texts_step, used_channels=(*used, channel)
        )

    def next_channel(self, step: NextChannelStep, path: str) -> str | None:
        """Wait; if the last message is not seen in time, repeat it through an unused channel."""
        next_path = next_step_path(self.document, path)
        if not self.memory.last_message_step or (
            self.memory.entered == path and self.snapshot.is_message_seen
        ):
            return next_path
        if self.memory.entered != path:
            until = self.now + civil_time.parse_duration(step.within)
            self.wait_at(
                path, until, msgspec.structs.replace(self.memory, entered=path, since=until)
            )
            return None
        unused = [channel for channel in step.channels if channel not in self.memory.used_channels]
        texts_step = self.memory.last_message_step
        is_done = self._decide_message(unused, path, texts_step=texts_step, every=False)
        return next_path if is_done else None

    # The other steps --------------------------------------------------------------------

    def wait(self, step: WaitStep, path: str) -> str | None:
        """Wait for a length of time, or until a local time of the customer."""
        next_path = next_step_path(self.document, path)
        if next_path is not None:
            until = (
                civil_time.next_local(self.now, step.until, self.zone)
                if step.until
                else self.now + civil_time.parse_duration(step.length)
            )
            self.wait_at(next_path, until, self._memory_after_wait(until))
        return next_path if self.state is None else None

    def wait_for(self, step: WaitForStep, path: str) -> str | None:
        """Wait for an event; return the branch for its arrival or its absence."""
        if self.memory.entered != path:
            until = self.now + civil_time.parse_duration(step.within)
            memory = msgspec.structs.replace(self.memory, entered=path, until=until)
            self._wait_for_event(step, path, min(until, self.now + RECHECK_AFTER), memory)
            return None
        until = self.memory.until or self.now
        if self.snapshot.has_awaited_event or until <= self.now:
            self.memory = self._memory_after_wait(min(until, self.now))
            branch = "then" if self.snapshot.has_awaited_event else "otherwise"
            return branch_path(self.document, path, branch)
        self._wait_for_event(step, path, until, self.memory)
        return None

    def _wait_for_event(
        self, step: WaitForStep, path: str, until: datetime, memory: RunMemory
    ) -> None:
        about = str(self.snapshot.cause.get("about", "")) if step.same == "about" else ""
        self.state = WaitingState(path, until, memory, step.event, about)

    def branch(self, step: BranchStep, path: str) -> str | None:
        """Return the branch that the condition selects."""
        branch = "then" if is_met(step.when, self.snapshot.context) else "otherwise"
        return branch_path(self.document, path, branch)

    def task(self, step: TaskStep, path: str) -> str | None:
        """Add a staff task and its decision."""
        self.decisions.append(
            RunDecision(
                "person",
                "handover",
                contact_of(self.snapshot, self.memory, "phone"),
                [Gate(gate="run", layer="company", verdict="pass", code="handover")],
                rules_version=self.rules.version,
                task=task_of_step(self.snapshot, step, path, self.now),
            )
        )
        return next_step_path(self.document, path)

    def _memory_after_wait(self, since: datetime) -> RunMemory:
        """Return the memory that a run keeps after a wait."""
        return RunMemory(
            since=since,
            last_message_step=self.memory.last_message_step,
            used_channels=self.memory.used_channels,
        )


_STEP_METHODS: dict[type[Any], Callable[[RunInterpreter, Any, str], str | None]] = {
    MessageStep: RunInterpreter.message,
    WaitStep: RunInterpreter.wait,
    WaitForStep: RunInterpreter.wait_for,
    BranchStep: RunInterpreter.branch,
    NextChannelStep: RunInterpreter.next_channel,
    TaskStep: RunInterpreter.task,
}
