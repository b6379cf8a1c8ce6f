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
    decision: DecisionResult


class Deferral(NamedTuple):
    """A channel that is allowed later."""

    until: datetime
    channel_decision: ChannelDecision

    @property
    def channel(self) -> str:
        return self.channel_decision.contact.channel


def decide_until_allowed(
    contacts: Iterable[Contact], snapshot: RunSnapshot, rules: Rules, now: datetime
) -> list[ChannelDecision]:
    """Decide on the contacts in order, up to the first that is allowed."""
    channel_decisions: list[ChannelDecision] = []
    for contact in contacts:
        decision = _decide(contact, snapshot, rules, now)
        channel_decisions.append(ChannelDecision(contact, decision))
        if decision.effect == "allow":
            break
    return channel_decisions


def _decide(contact: Contact, snapshot: RunSnapshot, rules: Rules, now: datetime) -> DecisionResult:
    """Decide on a contact; quiet hours deny where the automation skips them."""
    decision = decide(contact, snapshot.facts, rules, now)
    is_skipped = snapshot.document.quiet == "skip" and decision.code in _QUIET_CODES
    if decision.effect == "defer" and is_skipped:
        return msgspec.structs.replace(decision, effect="deny", until=None)
    return decision


def deferrals(channel_decisions: Sequence[ChannelDecision]) -> list[Deferral]:
    """Return the channels that are allowed later, each with the time from when."""
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
    """Return one decision, with the gates of every channel that was decided on."""
    contact, decision = decisive
    gates = list(decision.gates)
    if len(channel_decisions) > 1:
        gates = [gate for each in channel_decisions for gate in _channel_gates(*each)]
    return RunDecision(
        outcome, decision.code, contact, gates, decision.until, decision.rules_version
    )


def _channel_gates(contact: Contact, decision: DecisionResult) -> list[Gate]:
    """Return the gates of one channel of several, headed by a gate that names it."""
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
