"""Checks that all facts and rules are present and valid. Unknown values deny. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from butler.decisions.context import DecisionContext, deny, pass_gate
from butler.types import Contact, Gate, Use
from customers.consent.state import State

CLASSES = frozenset(
    {"legal_duty", "service_critical", "service", "answer", "relationship", "marketing", "peer"}
)
NEED_CONSENT = frozenset({"relationship", "marketing", "peer"})
# The clocks of tills and phones can be ahead by this time. Later events are errors.
CLOCK_TOLERANCE = timedelta(minutes=5)

# isinstance is fast for a dict and slow for Mapping.
_MAPPINGS = (dict, Mapping)
_SETS = (frozenset, set)
_SWITCH_PASS = pass_gate("switch", "company")
_ACT_PASS = pass_gate("act", "integrity")
_REQUIRED_FACTS = (
    "customer",
    "version",
    "record_status",
    "consent_state",
    "addresses",
    "relations",
    "is_of_age",
    "used",
)


def switch(context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Check the pause switches. This check runs first and needs no other fact."""
    engaged = context.facts.pause_switches
    if not isinstance(engaged, _SETS):
        return deny("switch", "integrity", "unknown_pause_switches")
    for key in ("*", getattr(context.act, "automation", "")):
        if key in engaged:
            return deny("switch", "company", "pause_switch", (key,), {"switch": key})
        if not isinstance(key, str):
            return deny("switch", "integrity", "unknown_automation")
    return _SWITCH_PASS


def knowledge(context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Check that all facts and rules of the decision are present."""
    code = _code_of_facts(context.facts) or _code_of_rules(context.rules)
    if code:
        return deny("integrity", "integrity", code)
    if context.now.tzinfo is None:
        return deny("integrity", "integrity", "unknown_time")
    inputs = {"version": context.facts.version, "rules": context.rules.version}
    return Gate(gate="integrity", layer="integrity", verdict="pass", code="", inputs=inputs)


def contact(context: DecisionContext[Contact]) -> Gate:
    """Check that the contact is valid and not expired."""
    contact, rules = context.act, context.rules
    if contact.message_class not in CLASSES:
        code = "unknown_class"
    elif contact.topic not in rules.topics:
        code = "unknown_topic"
    elif contact.channel not in rules.channels:
        code = "unknown_channel"
    elif contact.message_class in NEED_CONSENT and rules.purposes.get(contact.purpose) != "contact":
        code = "unknown_purpose"
    else:
        code = _timing_code(contact, context.now)
    inputs = {"occurred_at": contact.occurred_at, "expires_at": contact.expires_at}
    if code:
        return deny("act", "integrity", code, inputs=inputs)
    return Gate(gate="act", layer="integrity", verdict="pass", code="", inputs=inputs)


def _timing_code(contact: Contact, now: datetime) -> str:
    if not (_is_moment(contact.occurred_at) and _is_moment(contact.expires_at)):
        return "unknown_time"
    if contact.occurred_at > now + CLOCK_TOLERANCE:
        return "unknown_time"
    return "expired" if now >= contact.expires_at else ""


def use(context: DecisionContext[Use]) -> Gate:
    """Check that the purpose of a use of data exists."""
    if context.rules.purposes.get(context.act.purpose) != "use":
        return deny("act", "integrity", "unknown_purpose")
    return _ACT_PASS


def _code_of_facts(facts: Any) -> str:
    """Return the code of the first fact that is missing or invalid, or ""."""
    if (
        type(facts.customer) is str
        and facts.customer != ""
        and type(facts.version) is int
        and facts.record_status == "live"
        and isinstance(facts.consent_state, State)
        and _is_state(facts.consent_state)
        and isinstance(facts.addresses, _MAPPINGS)
        and isinstance(facts.relations, _MAPPINGS)
        and (facts.is_of_age is True or facts.is_of_age is False)
        and isinstance(facts.used, _MAPPINGS)
    ):
        return ""
    return _code_of_fact(facts)


def _code_of_fact(facts: Any) -> str:
    for name in _REQUIRED_FACTS:
        if getattr(facts, name) in (None, ""):
            return f"unknown_{name}"
    return "unknown_facts" if facts.record_status == "live" else "not_live"


def _is_state(state: Any) -> bool:
    return (
        isinstance(state.consents, _MAPPINGS)
        and isinstance(state.objections, _MAPPINGS)
        and isinstance(state.settings, tuple)
        and isinstance(state.restricted, str)
    )


def _code_of_rules(rules: Any) -> str:
    is_valid = (
        type(getattr(rules, "version", None)) is str
        and rules.version != ""
        and isinstance(rules.budgets, _MAPPINGS)
        and isinstance(rules.quiet_hours, _MAPPINGS)
        and isinstance(rules.plausible_zones, tuple)
        and isinstance(rules.purposes, _MAPPINGS)
        and isinstance(rules.topics, frozenset)
        and isinstance(rules.channels, frozenset)
        and isinstance(rules.language, str)
    )
    return "" if is_valid else "unknown_rules"


def _is_moment(moment: object) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None
