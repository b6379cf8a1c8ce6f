"""The decisions on each channel of one message, and their summary for the run. Pure."""

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
    decision: DecisionResult


class Deferral(NamedTuple):
    """A channel that is allowed later."""

    until: datetime
    channel_decision: ChannelDecision

    @property
    def channel(self) -> str:
        """Return the channel that is allowed later."""
        return self.channel_decision.contact.channel


def decide_until_allowed(
    contacts: Iterable[Contact], snapshot: RunSnapshot, rules: Rules, now: datetime
) -> list[ChannelDecision]:
    """Decide on the contacts in order, until one is allowed; return all decisions."""
    channel_decisions: list[ChannelDecision] = []
    for contact in contacts:
        decision = _decide(contact, snapshot, rules, now)
        channel_decisions.append(ChannelDecision(contact, decision))
        if decision.effect == "allow":
            break
    return channel_decisions


def _decide(contact: Contact, snapshot: RunSnapshot, rules: Rules, now: datetime) -> DecisionResult:
    """Decide on a contact; quiet hours deny if the automation has quiet = "skip"."""
    decision = decide(contact, snapshot.facts, rules, now)
    is_skipped = snapshot.document.quiet == "skip" and decision.code in _QUIET_CODES
    if decision.effect == "defer" and is_skipped:
        return msgspec.structs.replace(decision, effect="deny", until=None)
    return decision


def deferrals(channel_decisions: Sequence[ChannelDecision]) -> list[Deferral]:
    """Return the channels that are allowed later, each with the earliest time."""
    return [
        Deferral(channel_decision.decision.until, channel_decision)
        for channel_decision in channel_decisions
        if channel_decision.decision.effect == "defer" and channel_decision.decision.until
    ]


def run_decision(
    outcome: Literal["send", "defer", "skip", "person"],
    channel_decisions: Sequence[ChannelDecision],
    decisive: ChannelDecision,
) -> RunDecision:
    """Return one decision for the run, with the gates of every channel."""
    contact, decision = decisive
    gates = list(decision.gates)
    if len(channel_decisions) > 1:
        gates = [gate for each in channel_decisions for gate in _channel_gates(*each)]
    return RunDecision(
        outcome, decision.code, contact, gates, decision.until, decision.rules_version
    )


def _channel_gates(contact: Contact, decision: DecisionResult) -> list[Gate]:
    """Return a gate that names the channel, followed by the gates of its decision."""
    verdict: Literal["pass", "defer", "deny"] = (
        "pass" if decision.effect == "allow" else decision.effect
    )
    header = Gate(
        gate="channel",
        layer=decision.layer,
        verdict=verdict,
        code=decision.code,
        inputs={"channel": contact.channel},
    )
    return [header, *decision.gates]
