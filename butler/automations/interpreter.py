"""Takes a run through the steps of its automation until it has to wait or ends. Pure.

It writes nothing. It returns decisions, messages, tasks, and the new state of the run. The same
snapshot with the same facts always gives the same progress.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from butler.automations.cancellation import cancel_code
from butler.automations.conditions import is_met
from butler.automations.run_state import (
    BEFORE_FIRST_STEP,
    EndedState,
    MessageDraft,
    RunDecision,
    RunMemory,
    RunProgress,
    RunSnapshot,
    StaffTaskDraft,
    WaitingState,
)
from butler.decisions.channel_order import order_channels
from butler.decisions.decide import decide
from butler.document import (
    BranchStep,
    MessageStep,
    NextChannelStep,
    OnAbsence,
    OnEvent,
    TaskStep,
    WaitForStep,
    WaitStep,
    branch_path,
    next_step_path,
    step_at,
)
from butler.due import civil_time
from butler.messages.render import choose_language
from butler.messages.sanitize import sanitize_values
from butler.messages.templating import InvalidTemplate, MissingValues, compile_template
from butler.types import Contact, DecisionResult, Gate, Rules

# An event that is stored while a run begins to wait for it finds no run waiting: so soon after,
# the run looks for it on the log.
RECHECK_AFTER = timedelta(seconds=2)
# A time that is this close has come.
_TOLERANCE = timedelta(minutes=1)
# How soon a colleague has to pass on a message that the butler may not send.
_HANDOVER_TIME = timedelta(hours=1)
_QUIET_CODES = frozenset({"quiet_hours", "company_quiet_hours", "zone_unknown"})


def run(snapshot: RunSnapshot, rules: Rules, now: datetime, zone: ZoneInfo) -> RunProgress:
    """Take a run as far as it goes; `zone` is the company's, for customers without a zone."""
    return RunInterpreter(snapshot, rules, now, zone).run()


def zone_of(context: Mapping[str, Any], fallback: ZoneInfo) -> ZoneInfo:
    """Return the customer's time zone, or the fallback where it is unknown."""
    return civil_time.find_zone(context.get("customer", {}).get("zone", "")) or fallback


class _ChannelDecision(NamedTuple):
    contact: Contact
    decision: DecisionResult


class RunInterpreter:
    """Takes one run on. Each method for a step returns the path of the next step, if any."""

    def __init__(self, snapshot: RunSnapshot, rules: Rules, now: datetime, zone: ZoneInfo) -> None:
        self.snapshot, self.rules, self.now = snapshot, rules, now
        self.document = snapshot.document
        self.zone = zone_of(snapshot.context, zone)
        self.memory = snapshot.memory
        self.decisions: list[RunDecision] = []
        self.state: WaitingState | EndedState | None = None

    def run(self) -> RunProgress:
        path = self._first_step()
        while self.state is None:
            if path is None:
                self.state = EndedState("done")
                break
            step = step_at(self.document, path)
            path = _STEP_METHODS[type(step)](self, step, path)
        return RunProgress(self.decisions, self.state)

    # Before the first step ---------------------------------------------------------------

    def _first_step(self) -> str | None:
        if self._is_gathering():
            return None
        if code := cancel_code(self.snapshot):
            self._cancel(code)
            return None
        if due_at := self._later_due_at():
            memory = msgspec.structs.replace(self.memory, since=due_at)
            self.state = WaitingState(self.snapshot.step, due_at, memory)
            return None
        if self.snapshot.step != BEFORE_FIRST_STEP:
            return self.snapshot.step
        return self._end_of_absence() if isinstance(self.document.trigger, OnAbsence) else "0"

    def _is_gathering(self) -> bool:
        """Wait until gathering ends; the condition is evaluated over all gathered events."""
        trigger = self.document.trigger
        if self.snapshot.step != BEFORE_FIRST_STEP or not isinstance(trigger, OnEvent):
            return False
        until = civil_time.end_of(trigger.gather, self.snapshot.occurred_at, self.zone)
        if until > self.now:
            self._wait(BEFORE_FIRST_STEP, until, self.memory)
            return True
        self.memory = RunMemory(since=until)
        return False

    def _later_due_at(self) -> datetime | None:
        """Return when the run is due in the customer's zone, if they moved and it is still to come."""
        cause = self.snapshot.cause
        if "at" not in cause or self.snapshot.step != "0" or self.memory.entered:
            return None
        due_at = civil_time.local_to_instant(
            date.fromisoformat(cause["day"]), cause["at"], self.zone
        )
        return due_at if due_at > self.now + _TOLERANCE else None

    def _end_of_absence(self) -> str | None:
        assert isinstance(self.document.trigger, OnAbsence)
        if self.snapshot.has_awaited_event:
            self._cancel("cancelled_by_event")
            return None
        trigger = self.document.trigger
        until = self.snapshot.occurred_at + civil_time.parse_length(trigger.within)
        if until > self.now:
            self.state = WaitingState(BEFORE_FIRST_STEP, until, self.memory, trigger.absent)
            return None
        self.memory = RunMemory(since=until)
        return "0"

    def _cancel(self, code: str) -> None:
        """End the run with a decision that says why no message is sent."""
        contact = self._contact("")
        gate = Gate("run", "company", "deny", code)
        version = self.rules.version
        self.decisions.append(RunDecision("skip", code, contact, [gate], rules_version=version))
        self.state = EndedState("cancelled", code)

    # Messages ---------------------------------------------------------------------------

    def message(self, step: MessageStep, path: str) -> str | None:
        is_resumed = self.memory.entered == path
        channels = self.memory.pending_channels if is_resumed else step.channels
        is_done = self._decide_message(channels, path, texts_step=path, every=step.every)
        return next_step_path(self.document, path) if is_done else None

    def _decide_message(
        self, channels: Sequence[str], path: str, *, texts_step: str, every: bool
    ) -> bool:
        """Decide on a message for these channels; return whether the run goes on."""
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
        until = min(until for _, until in deferred)
        pending = tuple(channel for channel, _ in deferred) if every else tuple(channels)
        memory = msgspec.structs.replace(self.memory, entered=path, pending_channels=pending)
        self.state = WaitingState(path, until, memory)
        return False

    def _decide_first(
        self, channels: Sequence[str], path: str, texts_step: str
    ) -> list[tuple[str, datetime]]:
        """Queue a message for the first channel that is allowed.

        Returns the channels that are deferred, each with the time until when, if none is allowed.
        """
        decided: list[_ChannelDecision] = []
        for channel in channels:
            contact = self._contact(channel)
            decided.append(_ChannelDecision(contact, self._decide(contact)))
            if decided[-1].decision.effect == "allow":
                self._add_allowed(decided, path, texts_step)
                return []
        deferred = [
            (contact.channel, decision.until)
            for contact, decision in decided
            if decision.effect == "defer" and decision.until
        ]
        if deferred:
            soonest, _ = min(deferred, key=lambda deferral: deferral[1])
            decisive = next(each for each in decided if each.contact.channel == soonest)
            self._add_decision("defer", decided, decisive)
        elif decided:
            self._add_decision("skip", decided, decided[0])
        return deferred

    def _decide(self, contact: Contact) -> DecisionResult:
        decision = decide(contact, self.snapshot.facts, self.rules, self.now)
        is_skipped = self.document.quiet == "skip" and decision.code in _QUIET_CODES
        if decision.effect == "defer" and is_skipped:
            return msgspec.structs.replace(decision, effect="deny", until=None)
        return decision

    def _add_allowed(self, decided: list[_ChannelDecision], path: str, texts_step: str) -> None:
        contact, decision = decided[-1]
        if decision.route_to == "person":
            run_decision = self._add_decision("person", decided, decided[-1])
            run_decision.task = self._message_as_task(path, texts_step, decision.language)
            return
        run_decision = self._add_decision("send", decided, decided[-1])
        run_decision.message = MessageDraft(
            contact.channel, path, texts_step, contact, decision.language
        )
        is_repeated = self.memory.last_message_step == texts_step
        used = self.memory.used_channels if is_repeated else ()
        self.memory = msgspec.structs.replace(
            self.memory, last_message_step=texts_step, used_channels=(*used, contact.channel)
        )

    def _add_decision(
        self,
        outcome: Literal["send", "defer", "skip", "person"],
        decided: list[_ChannelDecision],
        decisive: _ChannelDecision,
    ) -> RunDecision:
        """Add one decision, with the gates of every channel that was decided on."""
        contact, decision = decisive
        gates = list(decision.gates)
        if len(decided) > 1:
            gates = [gate for each in decided for gate in _channel_gates(*each)]
        run_decision = RunDecision(
            outcome, decision.code, contact, gates, decision.until, decision.rules_version
        )
        self.decisions.append(run_decision)
        return run_decision

    def _contact(self, channel: str) -> Contact:
        document = self.document
        since = self.memory.since or self.snapshot.occurred_at
        return Contact(
            message_class=document.message_class,
            topic=document.topic,
            channel=channel,
            occurred_at=since,
            expires_at=since + civil_time.parse_length(document.expires),
            purpose=document.purpose,
            relation=self._relation(),
            automation=self.snapshot.automation,
        )

    def _relation(self) -> str:
        """Return the relation that gives the right to a message, such as the order it is about."""
        kind, context = self.document.relation, self.snapshot.context
        about = str(self.snapshot.cause.get("about", ""))
        if not kind or about.startswith(f"{kind}:"):
            return about if kind else ""
        name = {"order": "number", "visit": "date", "request": "reference"}[kind]
        reference = context.get(kind, {}).get(name)
        return f"{kind}:{reference}" if reference else kind

    def next_channel(self, step: NextChannelStep, path: str) -> str | None:
        next_path = next_step_path(self.document, path)
        if not self.memory.last_message_step or (
            self.memory.entered == path and self.snapshot.is_message_seen
        ):
            return next_path
        if self.memory.entered != path:
            until = self.now + civil_time.parse_length(step.within)
            self._wait(path, until, msgspec.structs.replace(self.memory, entered=path, since=until))
            return None
        unused = [channel for channel in step.channels if channel not in self.memory.used_channels]
        texts_step = self.memory.last_message_step
        is_done = self._decide_message(unused, path, texts_step=texts_step, every=False)
        return next_path if is_done else None

    # The other steps --------------------------------------------------------------------

    def wait(self, step: WaitStep, path: str) -> str | None:
        next_path = next_step_path(self.document, path)
        if next_path is not None:
            until = (
                civil_time.next_local(self.now, step.until, self.zone)
                if step.until
                else self.now + civil_time.parse_length(step.length)
            )
            self._wait(next_path, until, self._memory_after_wait(until))
        return next_path if self.state is None else None

    def wait_for(self, step: WaitForStep, path: str) -> str | None:
        if self.memory.entered != path:
            until = self.now + civil_time.parse_length(step.within)
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
        branch = "then" if is_met(step.when, self.snapshot.context) else "otherwise"
        return branch_path(self.document, path, branch)

    def task(self, step: TaskStep, path: str) -> str | None:
        contact = self._contact("phone")
        gate = Gate("run", "company", "pass", "handover")
        title, body = self._fill(step.title) or self._name(), self._fill(step.body)
        due_at = self.now + civil_time.parse_length(step.within)
        self.decisions.append(
            RunDecision(
                "person",
                "handover",
                contact,
                [gate],
                rules_version=self.rules.version,
                task=StaffTaskDraft(path, title, body, due_at),
            )
        )
        return next_step_path(self.document, path)

    def _message_as_task(self, path: str, texts_step: str, language: str) -> StaffTaskDraft:
        """Return a task with the text of a message, for a colleague to pass on."""
        step = step_at(self.document, texts_step)
        assert isinstance(step, MessageStep)
        text = step.texts[choose_language(step.texts, language)]
        title = self._fill(text.subject) or self._name()
        return StaffTaskDraft(path, title, self._fill(text.text), self.now + _HANDOVER_TIME)

    def _fill(self, template: str) -> str:
        """Return a filled text for a colleague; empty where a value is missing."""
        customer = self.snapshot.context.get("customer", {})
        locale = {"language": "en", "zone": customer.get("zone", "")}
        try:
            return compile_template(template).fill(
                {**sanitize_values(self.snapshot.context), **locale}
            )
        except (InvalidTemplate, MissingValues):
            return ""

    def _name(self) -> str:
        names = self.document.name
        return names.get("en") or next(iter(names.values()), self.document.key)

    def _wait(self, step: str, until: datetime, memory: RunMemory) -> None:
        self.state = WaitingState(step, until, memory)

    def _memory_after_wait(self, since: datetime) -> RunMemory:
        """Return what a run still has to remember when a wait is over."""
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


def _channel_gates(contact: Contact, decision: DecisionResult) -> list[Gate]:
    """Return the gates of one channel of several, headed by a gate that names it."""
    verdict: Literal["pass", "defer", "deny"] = (
        "pass" if decision.effect == "allow" else decision.effect
    )
    header = Gate(
        "channel", decision.layer, verdict, decision.code, (), {"channel": contact.channel}
    )
    return [header, *decision.gates]
