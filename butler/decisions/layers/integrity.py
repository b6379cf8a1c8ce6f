"""Whether enough is known to judge at all. What is not known means no. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from butler.decisions.context import Case, denies, passed
from butler.types import Contact, Gate, Use
from customers.consent.state import State

CLASSES = frozenset(
    {"legal_duty", "service_critical", "service", "answer", "relationship", "marketing", "peer"}
)
NEED_CONSENT = frozenset({"relationship", "marketing", "peer"})
# Clocks of tills and of phones differ; a message about what happens tomorrow is a mistake.
AHEAD = timedelta(minutes=5)

# A dict is found at once; whether something else is a mapping takes a while to tell.
_MAPPINGS = (dict, Mapping)
_SETS = (frozenset, set)
# What is answered where there is nothing to look at.
_ON = passed("switch", "company")
_TOLD = passed("act", "integrity")
_FACTS = (
    "customer",
    "version",
    "standing",
    "control",
    "addresses",
    "relations",
    "is_of_age",
    "used",
)


def switch(case: Case[Contact] | Case[Use]) -> Gate:
    """Ask the emergency switches, before anything that could be wrong itself."""
    halted = case.facts.halted
    if not isinstance(halted, _SETS):
        return denies("switch", "integrity", "unknown_halted")
    for key in ("*", getattr(case.act, "automation", "")):
        if key in halted:
            return denies("switch", "company", "halted", (key,), {"switch": key})
        if not isinstance(key, str):
            return denies("switch", "integrity", "unknown_automation")
    return _ON


def knowledge(case: Case[Contact] | Case[Use]) -> Gate:
    """Ask whether everything that a decision rests on is there."""
    code = _gap(case.facts) or _gap_in_rules(case.rules)
    if code:
        return denies("integrity", "integrity", code)
    if case.now.tzinfo is None:
        return denies("integrity", "integrity", "unknown_time")
    inputs = {"version": case.facts.version, "rules": case.rules.version}
    return Gate("integrity", "integrity", "pass", "", (), inputs)


def contact(case: Case[Contact]) -> Gate:
    """Ask whether what is to be said is understood, and still makes sense."""
    act, rules = case.act, case.rules
    if act.message_class not in CLASSES:
        code = "unknown_class"
    elif act.topic not in rules.topics:
        code = "unknown_topic"
    elif act.channel not in rules.channels:
        code = "unknown_channel"
    elif act.message_class in NEED_CONSENT and rules.purposes.get(act.purpose) != "contact":
        code = "unknown_purpose"
    else:
        code = _untimely(act, case.now)
    inputs = {"occurred_at": act.occurred_at, "expires_at": act.expires_at}
    if code:
        return denies("act", "integrity", code, inputs=inputs)
    return Gate("act", "integrity", "pass", "", (), inputs)


def _untimely(act: Contact, now: datetime) -> str:
    if not (_is_moment(act.occurred_at) and _is_moment(act.expires_at)):
        return "unknown_time"
    if act.occurred_at > now + AHEAD:
        return "unknown_time"
    return "expired" if now >= act.expires_at else ""


def use(case: Case[Use]) -> Gate:
    """Ask whether the purpose of a use is one that customers were told of."""
    if case.rules.purposes.get(case.act.purpose) != "use":
        return denies("act", "integrity", "unknown_purpose")
    return _TOLD


def _gap(facts: Any) -> str:
    """Return the code of the first fact that is missing or is not what it should be."""
    if (
        type(facts.customer) is str
        and facts.customer != ""
        and type(facts.version) is int
        and facts.standing == "live"
        and isinstance(facts.control, State)
        and _is_state(facts.control)
        and isinstance(facts.addresses, _MAPPINGS)
        and isinstance(facts.relations, _MAPPINGS)
        and (facts.is_of_age is True or facts.is_of_age is False)
        and isinstance(facts.used, _MAPPINGS)
    ):
        return ""
    return _name_the_gap(facts)


def _name_the_gap(facts: Any) -> str:
    for name in _FACTS:
        if getattr(facts, name) in (None, ""):
            return f"unknown_{name}"
    return "unknown_facts" if facts.standing == "live" else "not_live"


def _is_state(state: Any) -> bool:
    return (
        isinstance(state.consents, _MAPPINGS)
        and isinstance(state.objections, _MAPPINGS)
        and isinstance(state.settings, tuple)
        and isinstance(state.restricted, str)
    )


def _gap_in_rules(rules: Any) -> str:
    is_whole = (
        type(getattr(rules, "version", None)) is str
        and rules.version != ""
        and isinstance(rules.budgets, _MAPPINGS)
        and isinstance(rules.quiet, _MAPPINGS)
        and isinstance(rules.plausible_zones, tuple)
        and isinstance(rules.purposes, _MAPPINGS)
        and isinstance(rules.topics, frozenset)
        and isinstance(rules.channels, frozenset)
    )
    return "" if is_whole else "unknown_rules"


def _is_moment(moment: object) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None
