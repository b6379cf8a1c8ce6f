"""The decisions on the channels of one message, and the one decision of the run. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from butler.automations.run_state import RunDecision, RunSnapshot
from butler.decisions.decide import decide
from butler.types import Contact, DecisionResult, Gate, Rules

_QUIET_CODES = frozenset({"quiet_hours", "company_quiet_hours", "zone_unknown"})


class ChannelDecision(NamedTuple):
    """The decision on the contact through one channel."""

    contact: Contact
    result: DecisionResult


class Deferral(NamedTuple):
    """A channel that is allowed later."""

    until: datetime
    decision: ChannelDecision

    @property
    def channel(self) -> str:
        return self.decision.contact.channel


def decide_until_allowed(
    contacts: Iterable[Contact], snapshot: RunSnapshot, rules: Rules, now: datetime
) -> list[ChannelDecision]:
    """Decide on the contacts in order, up to the first that is allowed."""
    decisions: list[ChannelDecision] = []
    for contact in contacts:
        decisions.append(ChannelDecision(contact, _decide(contact, snapshot, rules, now)))
        if decisions[-1].result.effect == "allow":
            break
    return decisions


def _decide(contact: Contact, snapshot: RunSnapshot, rules: Rules, now: datetime) -> DecisionResult:
    """Decide on a contact; quiet hours deny where the automation skips them."""
    result = decide(contact, snapshot.facts, rules, now)
    is_skipped = snapshot.document.quiet == "skip" and result.code in _QUIET_CODES
    if result.effect == "defer" and is_skipped:
        return msgspec.structs.replace(result, effect="deny", until=None)
    return result


def deferrals(decisions: Sequence[ChannelDecision]) -> list[Deferral]:
    """Return the channels that are allowed later, each with the time from when."""
    return [
        Deferral(decision.result.until, decision)
        for decision in decisions
        if decision.result.effect == "defer" and decision.result.until
    ]


def run_decision(
    outcome: Literal["send", "defer", "skip", "person"],
    decisions: Sequence[ChannelDecision],
    decisive: ChannelDecision,
) -> RunDecision:
    """Return one decision, with the gates of every channel that was decided on."""
    contact, result = decisive
    gates = list(result.gates)
    if len(decisions) > 1:
        gates = [gate for decision in decisions for gate in _channel_gates(decision)]
    return RunDecision(outcome, result.code, contact, gates, result.until, result.rules_version)


def _channel_gates(decision: ChannelDecision) -> list[Gate]:
    """Return the gates of one channel of several, headed by a gate that names it."""
    contact, result = decision
    verdict: Literal["pass", "defer", "deny"] = (
        "pass" if result.effect == "allow" else result.effect
    )
    header = Gate("channel", result.layer, verdict, result.code, (), {"channel": contact.channel})
    return [header, *result.gates]
