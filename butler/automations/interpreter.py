"""Walks a run through the steps of its automation, until it has to wait or has ended. Pure.

What it comes to is returned, not done: verdicts, messages, tasks, and where the run is now.
Taken again from the same place with the same facts, it comes to the same.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from butler.automations.conditions import holds
from butler.automations.run_state import (
    BEFORE,
    Draft,
    Ended,
    Errand,
    Judged,
    Memory,
    Run,
    Waiting,
    Walked,
)
from butler.decisions.decide import decide, order_channels
from butler.document import (
    BranchStep,
    MessageStep,
    NextChannelStep,
    OnAbsence,
    OnDate,
    OnEvent,
    TaskStep,
    WaitForStep,
    WaitStep,
    following,
    inside,
    step_at,
)
from butler.due import civil_time
from butler.messages.render import language_of
from butler.messages.sanitize import inert
from butler.messages.templating import BadTemplate, Missing, compiled
from butler.types import Contact, Decision, Gate, Rules

# An event that is stored while a run begins to wait for it finds nobody waiting: so soon after
# it is looked for on the log.
LOOK_AGAIN = timedelta(seconds=2)
# A wall clock that is this close is there.
_CLOSE = timedelta(minutes=1)
# How soon a person is to say what the butler may not.
_SOON = timedelta(hours=1)
_QUIET = frozenset({"quiet_hours", "company_quiet_hours", "zone_unknown"})
_OPEN = ("placed", "amended")


def walk(run: Run, rules: Rules, now: datetime, zone: ZoneInfo) -> Walked:
    """Take a run as far as it goes; `zone` is the company's, for whom nobody knows where is."""
    return _Walk(run, rules, now, zone).go()


def zone_of(context: Mapping[str, Any], fallback: ZoneInfo) -> ZoneInfo:
    """Return the zone on whose clock a customer is woken."""
    return civil_time.find_zone(context.get("customer", {}).get("zone", "")) or fallback


class _Walk:
    def __init__(self, run: Run, rules: Rules, now: datetime, zone: ZoneInfo) -> None:
        self.run, self.rules, self.now = run, rules, now
        self.document = run.document
        self.zone = zone_of(run.context, zone)
        self.memory = run.memory
        self.judged: list[Judged] = []
        self.end: Waiting | Ended | None = None

    def go(self) -> Walked:
        path = self._begin()
        while self.end is None:
            if path is None:
                self.end = Ended("done")
                break
            step = step_at(self.document, path)
            path = _STEPS[type(step)](self, step, path)
        return Walked(self.judged, self.end)

    # Whether to go on at all ------------------------------------------------------------

    def _begin(self) -> str | None:
        if self._is_gathering():
            return None
        if code := self._obstacle():
            self._give_up(code)
            return None
        if moment := self._not_yet():
            memory = msgspec.structs.replace(self.memory, since=moment)
            self.end = Waiting(self.run.step, moment, memory)
            return None
        if self.run.step != BEFORE:
            return self.run.step
        return self._absence() if isinstance(self.document.trigger, OnAbsence) else "0"

    def _is_gathering(self) -> bool:
        """Wait until what is gathered is to be said; the condition is asked of all of it."""
        trigger = self.document.trigger
        if self.run.step != BEFORE or not isinstance(trigger, OnEvent):
            return False
        until = civil_time.end_of(trigger.gather, self.run.occurred_at, self.zone)
        if until > self.now:
            self._wait(BEFORE, until, self.memory)
            return True
        self.memory = Memory(since=until)
        return False

    def _obstacle(self) -> str:
        """Return why the run has no point any more."""
        halted = self.run.facts.halted
        if halted and not halted.isdisjoint(("*", self.run.automation)):
            return "halted"
        topic = self.run.context.get("topic", {})
        if "serial" in self.run.cause and topic.get("serial") != self.run.cause["serial"]:
            return "superseded"
        if not self._still_on():
            return "condition"
        condition = self.document.condition
        return "condition" if condition and not holds(condition, self.run.context) else ""

    def _still_on(self) -> bool:
        """Tell whether the date that woke the run still is the one on the record."""
        trigger, on = self.document.trigger, self.run.cause.get("on")
        if not isinstance(trigger, OnDate) or on is None:
            return True
        where, _, name = trigger.date.partition(".")
        if where == "order":
            order = self.run.context.get("order", {})
            return order.get(name) == on and order.get("status") in _OPEN
        said = self.run.context.get(where, {}).get(name)
        if where == "trait":
            said = self.run.context["customer"]["traits"].get(name)
        return _returns_on(said, date.fromisoformat(on))

    def _not_yet(self) -> datetime | None:
        """Return the moment on the customer's clock, if they moved and it is still to come."""
        cause = self.run.cause
        if "at" not in cause or self.run.step != "0" or self.memory.entered:
            return None
        moment = civil_time.resolve(date.fromisoformat(cause["day"]), cause["at"], self.zone)
        return moment if moment > self.now + _CLOSE else None

    def _absence(self) -> str | None:
        assert isinstance(self.document.trigger, OnAbsence)
        if self.run.has_come:
            self._give_up("cancelled_by_event")
            return None
        over = self.run.occurred_at + civil_time.parse_length(self.document.trigger.within)
        if over > self.now:
            self.end = Waiting(BEFORE, over, self.memory, self.document.trigger.absent)
            return None
        self.memory = Memory(since=over)
        return "0"

    def _give_up(self, code: str) -> None:
        """End the run, and say why nothing is said."""
        act = self._contact("")
        gate = Gate("run", "company", "deny", code)
        self.judged.append(Judged("skip", code, act, [gate], rules_version=self.rules.version))
        self.end = Ended("cancelled", code)

    # Messages ---------------------------------------------------------------------------

    def message(self, step: MessageStep, path: str) -> str | None:
        channels = self.memory.left if self.memory.entered == path else step.channels
        going = self._say(channels, path, texts=path, every=step.every)
        return following(self.document, path) if going else None

    def _say(self, channels: Sequence[str], path: str, *, texts: str, every: bool) -> bool:
        """Judge what can be said now; return whether the run goes on."""
        ordered = order_channels(self.run.facts, channels)
        if every:
            later = [w for one in ordered for w in self._judge([one], path, texts)]
        else:
            later = self._judge(ordered, path, texts)
        if not later:
            return True
        until = min(moment for _, moment in later)
        left = tuple(channel for channel, _ in later) if every else tuple(channels)
        memory = msgspec.structs.replace(self.memory, entered=path, left=left)
        self.end = Waiting(path, until, memory)
        return False

    def _judge(self, channels: Sequence[str], path: str, texts: str) -> list[tuple[str, datetime]]:
        """Say it through the first of these that may; return those that may later, and when."""
        asked: list[tuple[Contact, Decision]] = []
        for channel in channels:
            act = self._contact(channel)
            asked.append((act, self._decide(act)))
            if asked[-1][1].effect == "allow":
                self._allowed(asked, path, texts)
                return []
        later = [(a.channel, d.until) for a, d in asked if d.effect == "defer" and d.until]
        if later:
            soonest = min(later, key=lambda one: one[1])[0]
            self._note("defer", asked, next(one for one in asked if one[0].channel == soonest))
        elif asked:
            self._note("skip", asked, asked[0])
        return later

    def _decide(self, act: Contact) -> Decision:
        decision = decide(act, self.run.facts, self.rules, self.now)
        leave_it = self.document.quiet == "skip" and decision.code in _QUIET
        if decision.effect == "defer" and leave_it:
            return msgspec.structs.replace(decision, effect="deny", until=None)
        return decision

    def _allowed(self, asked: list[tuple[Contact, Decision]], path: str, texts: str) -> None:
        act, decision = asked[-1]
        if decision.route_to == "person":
            judged = self._note("person", asked, asked[-1])
            judged.errand = self._by_heart(path, texts, decision.language)
            return
        judged = self._note("send", asked, asked[-1])
        judged.draft = Draft(act.channel, path, texts, act, decision.language)
        through = (*self.memory.through, act.channel) if self.memory.said == texts else ()
        self.memory = msgspec.structs.replace(
            self.memory, said=texts, through=through or (act.channel,)
        )

    def _note(
        self,
        outcome: Literal["send", "defer", "skip", "person"],
        asked: list[tuple[Contact, Decision]],
        that: tuple[Contact, Decision],
    ) -> Judged:
        """Write down one decision with the gates of every channel that was asked."""
        act, decision = that
        gates = list(decision.gates)
        if len(asked) > 1:
            gates = [gate for one in asked for gate in _gates(*one)]
        judged = Judged(outcome, decision.code, act, gates, decision.until, decision.rules_version)
        self.judged.append(judged)
        return judged

    def _contact(self, channel: str) -> Contact:
        document = self.document
        since = self.memory.since or self.run.occurred_at
        return Contact(
            message_class=document.message_class,
            topic=document.topic,
            channel=channel,
            occurred_at=since,
            expires_at=since + civil_time.parse_length(document.expires),
            purpose=document.purpose,
            relation=self._relation(),
            automation=self.run.automation,
        )

    def _relation(self) -> str:
        """Return the thing that gives the right to speak: the one that the run is about."""
        kind, context = self.document.relation, self.run.context
        about = str(self.run.cause.get("about", ""))
        if not kind or about.startswith(f"{kind}:"):
            return about if kind else ""
        name = {"order": "number", "visit": "date", "request": "reference"}[kind]
        thing = context.get(kind, {}).get(name)
        return f"{kind}:{thing}" if thing else kind

    def next_channel(self, step: NextChannelStep, path: str) -> str | None:
        onward = following(self.document, path)
        if not self.memory.said or (self.memory.entered == path and self.run.is_seen):
            return onward
        if self.memory.entered != path:
            until = self.now + civil_time.parse_length(step.within)
            self._wait(path, until, msgspec.structs.replace(self.memory, entered=path, since=until))
            return None
        others = [one for one in step.channels if one not in self.memory.through]
        return onward if self._say(others, path, texts=self.memory.said, every=False) else None

    # The other steps --------------------------------------------------------------------

    def wait(self, step: WaitStep, path: str) -> str | None:
        onward = following(self.document, path)
        if onward is not None:
            until = (
                civil_time.next_local(self.now, step.until, self.zone)
                if step.until
                else self.now + civil_time.parse_length(step.length)
            )
            self._wait(onward, until, self._after(until))
        return onward if self.end is None else None

    def wait_for(self, step: WaitForStep, path: str) -> str | None:
        if self.memory.entered != path:
            until = self.now + civil_time.parse_length(step.within)
            memory = msgspec.structs.replace(self.memory, entered=path, until=until)
            self._await(step, path, min(until, self.now + LOOK_AGAIN), memory)
            return None
        until = self.memory.until or self.now
        if self.run.has_come or until <= self.now:
            self.memory = self._after(min(until, self.now))
            branch = "then" if self.run.has_come else "otherwise"
            return inside(self.document, path, branch)
        self._await(step, path, until, self.memory)
        return None

    def _await(self, step: WaitForStep, path: str, at: datetime, memory: Memory) -> None:
        about = str(self.run.cause.get("about", "")) if step.same == "about" else ""
        self.end = Waiting(path, at, memory, step.event, about)

    def branch(self, step: BranchStep, path: str) -> str | None:
        way = "then" if holds(step.when, self.run.context) else "otherwise"
        return inside(self.document, path, way)

    def task(self, step: TaskStep, path: str) -> str | None:
        act = self._contact("phone")
        gate = Gate("run", "company", "pass", "handover")
        judged = Judged("person", "handover", act, [gate], rules_version=self.rules.version)
        title, body = self._fill(step.title) or self._name(), self._fill(step.body)
        judged.errand = Errand(path, title, body, self.now + civil_time.parse_length(step.within))
        self.judged.append(judged)
        return following(self.document, path)

    def _by_heart(self, path: str, texts: str, language: str) -> Errand:
        """Give a person the words that the butler would have said, to be said in their own."""
        step = step_at(self.document, texts)
        assert isinstance(step, MessageStep)
        text = step.texts[language_of(step.texts, language)]
        title = self._fill(text.subject) or self._name()
        return Errand(path, title, self._fill(text.text), self.now + _SOON)

    def _fill(self, template: str) -> str:
        """Fill what a colleague reads; a gap in it is no reason not to ask them."""
        customer = self.run.context.get("customer", {})
        spoken = {"language": "en", "zone": customer.get("zone", "")}
        try:
            return compiled(template).fill({**inert(self.run.context), **spoken})
        except (BadTemplate, Missing):
            return ""

    def _name(self) -> str:
        names = self.document.name
        return names.get("en") or next(iter(names.values()), self.document.key)

    def _wait(self, step: str, until: datetime, memory: Memory) -> None:
        self.end = Waiting(step, until, memory)

    def _after(self, since: datetime) -> Memory:
        """Return what is still worth remembering when a wait is over."""
        return Memory(since=since, said=self.memory.said, through=self.memory.through)


_STEPS: dict[type[Any], Callable[[_Walk, Any, str], str | None]] = {
    MessageStep: _Walk.message,
    WaitStep: _Walk.wait,
    WaitForStep: _Walk.wait_for,
    BranchStep: _Walk.branch,
    NextChannelStep: _Walk.next_channel,
    TaskStep: _Walk.task,
}


def _gates(act: Contact, decision: Decision) -> list[Gate]:
    """Return the gates of one channel of several, behind a mark that says which."""
    verdict: Literal["pass", "defer", "deny"] = (
        "pass" if decision.effect == "allow" else decision.effect
    )
    mark = Gate("channel", decision.layer, verdict, decision.code, (), {"channel": act.channel})
    return [mark, *decision.gates]


def _returns_on(said: object, on: date) -> bool:
    """Tell whether a date on the record returns on that day."""
    try:
        born = date.fromisoformat(str(said)[:10])
    except ValueError:
        return False
    return civil_time.anniversary(born, on.year) == on
