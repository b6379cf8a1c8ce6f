"""Decides whether a message may be sent or data used, and why. Pure.

The checks of the layers run in order: integrity, legal, terms, basis, preference, company. Each
layer only narrows; the basis alone gives permission. The first denial ends the decision. A
deferral is kept while the other checks run, and the latest one counts: a denial overrides it,
and so does the expiry of the message. Missing facts deny.
"""

from collections.abc import Sequence
from datetime import datetime

from butler.decisions.context import Check, DecisionContext, UnknownZone, applicable_settings
from butler.decisions.layers import basis, company, integrity, legal, preference
from butler.decisions.layers.terms import terms
from butler.types import Contact, DecisionResult, Facts, Gate, Layer, Rules, Use
from customers.consent.preferences import MalformedValue

_INTEGRITY: tuple[Check[Contact], ...] = (
    integrity.switch,
    integrity.knowledge,
    integrity.contact,
)
_PREFERENCES: tuple[Check[Contact], ...] = (preference.read_settings, preference.allow)
_LIMITS: tuple[Check[Contact], ...] = (
    preference.budget,
    preference.quiet_hours,
    company.budget,
    company.quiet_hours,
)
_BY_CONSENT: tuple[Check[Contact], ...] = (
    legal.address,
    legal.age,
    terms,
    basis.consent,
    *_PREFERENCES,
    preference.pause,
    preference.only_when_i_ask,
)

# What makes a consent count, whatever the message.
_CONSENT: tuple[Check[Contact], ...] = (
    legal.restriction,
    legal.marketing_objection,
    legal.age,
    basis.consent,
)

# The checks of each message class, in order: its column of the table in docs/decisions.md.
CHECKS: dict[str, tuple[Check[Contact], ...]] = {
    "legal_duty": (legal.address, basis.legal_duty),
    "service_critical": (legal.restriction, legal.address, terms, basis.relation, *_PREFERENCES),
    "service": (
        legal.restriction,
        legal.address,
        terms,
        basis.relation,
        *_PREFERENCES,
        preference.pause,
        preference.only_when_i_ask,
        *_LIMITS,
    ),
    "answer": (
        legal.restriction,
        legal.address,
        terms,
        basis.request,
        *_PREFERENCES,
        preference.person_first,
        *_LIMITS,
    ),
    "relationship": (
        legal.restriction,
        legal.marketing_objection,
        *_BY_CONSENT,
        preference.person_first,
        *_LIMITS,
    ),
    "marketing": (legal.restriction, legal.marketing_objection, *_BY_CONSENT, *_LIMITS),
    "peer": (legal.restriction, legal.objection, *_BY_CONSENT, *_LIMITS),
}
_ALL_CHECKS = {name: (*_INTEGRITY, *checks) for name, checks in CHECKS.items()}
_USE: tuple[Check[Use], ...] = (
    integrity.switch,
    integrity.knowledge,
    integrity.use,
    legal.restriction,
    legal.objection,
)
_USE_BY_RELATION: tuple[Check[Use], ...] = (terms, basis.relation)
_USE_BY_CONSENT: tuple[Check[Use], ...] = (legal.age, terms, basis.consent)
_USE_PREFERENCES: tuple[Check[Use], ...] = (
    preference.read_data_use_settings,
    preference.data_use,
)

_LAYERS: dict[str, Layer] = {
    "integrity": "integrity",
    "legal": "legal",
    "terms": "terms",
    "basis": "basis",
    "preference": "preference",
    "company": "company",
}
_BASES = {"consent_given": "consent:", "relation_live": "relation:", "legal_duty": "legal_duty"}

# Errors that corrupt facts cause, such as a comparison with a naive datetime.
_CORRUPT = (TypeError, ValueError, AttributeError, LookupError, OverflowError)


def decide(act: Contact | Use, facts: Facts, rules: Rules, now: datetime) -> DecisionResult:
    """Return whether the act is allowed now, later, or not at all, and why."""
    gates: list[Gate] = []
    try:
        if isinstance(act, Use):
            return _decide_use(DecisionContext(act, facts, rules, now), gates)
        return _decide_contact(DecisionContext(act, facts, rules, now), gates)
    except UnknownZone:
        code = "unknown_zone"
    except _CORRUPT:
        code = "unknown_facts"
    gates.append(Gate("integrity", "integrity", "deny", code))
    return _denied(gates, facts, rules)


def has_consent(facts: Facts, rules: Rules, purpose: str, now: datetime) -> bool:
    """Return whether the customer consents to contact for a purpose, on any channel at any time.

    Missing or corrupt facts are no consent.
    """
    contact = Contact(
        message_class="marketing",
        topic="",
        channel="",
        occurred_at=now,
        expires_at=now,
        purpose=purpose,
    )
    context = DecisionContext(contact, facts, rules, now)
    try:
        return facts.control is not None and all(
            check(context).verdict != "deny" for check in _CONSENT
        )
    except _CORRUPT:
        return False


def order_channels(facts: Facts, candidates: Sequence[str]) -> tuple[str, ...]:
    """Return the channels in the order that the customer prefers.

    First those of their setting, then the others in the given order, last those turned off.
    """
    settings = facts.control.settings if facts.control else ()
    positions: dict[str, int] = {}
    try:
        for setting in applicable_settings(settings, "*", "*").get("channel_order", ()):
            names = _names(setting.value)
            positions |= {str(name): position for position, name in enumerate(names)}
        off = {
            channel
            for channel in candidates
            for setting in applicable_settings(settings, channel, "*").get("allow", ())
            if setting.value is False
        }
    except MalformedValue:
        return tuple(candidates)
    last = len(positions)
    return tuple(
        sorted(candidates, key=lambda channel: (channel in off, positions.get(channel, last)))
    )


def _names(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _decide_contact(context: DecisionContext[Contact], gates: list[Gate]) -> DecisionResult:
    # For an unknown message class the integrity checks already deny.
    deferral = _run_checks(context, _ALL_CHECKS.get(context.act.message_class, _INTEGRITY), gates)
    if gates[-1].verdict == "deny":
        return _denied(gates, context.facts, context.rules)
    if deferral:
        return _deferred(context, gates, deferral)
    return _allowed(context, gates)


def _decide_use(context: DecisionContext[Use], gates: list[Gate]) -> DecisionResult:
    basis_checks = _USE_BY_RELATION if context.act.relation else _USE_BY_CONSENT
    _run_checks(context, (*_USE, *basis_checks, *_USE_PREFERENCES), gates)
    if gates[-1].verdict == "deny":
        return _denied(gates, context.facts, context.rules)
    return _allowed(context, gates)


def _run_checks[A: (Contact, Use)](
    context: DecisionContext[A], checks: tuple[Check[A], ...], gates: list[Gate]
) -> Gate | None:
    """Run the checks until one denies; return the deferral that ends last."""
    latest: Gate | None = None
    end: datetime | None = None
    for check in checks:
        gate = check(context)
        gates.append(gate)
        if gate.verdict == "deny":
            break
        until = gate.until
        if until is not None and (end is None or until > end):
            latest, end = gate, until
    return latest


def _denied(gates: list[Gate], facts: Facts, rules: Rules) -> DecisionResult:
    last = gates[-1]
    return DecisionResult(
        effect="deny",
        code=last.code,
        layer=_LAYERS[last.layer],
        gates=tuple(gates),
        customer_version=_customer_version(facts),
        rules_version=_rules_version(rules),
    )


def _deferred(context: DecisionContext[Contact], gates: list[Gate], gate: Gate) -> DecisionResult:
    until = gate.until
    assert until is not None
    # The gate that decided comes last.
    gates[:] = [*(other for other in gates if other is not gate), gate]
    if until >= context.act.expires_at:
        inputs = {"because": gate.code, "until": until, "expires_at": context.act.expires_at}
        gates.append(Gate("expiry", gate.layer, "deny", "stale", gate.evidence, inputs))
        return _denied(gates, context.facts, context.rules)
    return DecisionResult(
        effect="defer",
        code=gate.code,
        layer=_LAYERS[gate.layer],
        gates=tuple(gates),
        until=until,
        customer_version=_customer_version(context.facts),
        rules_version=context.rules.version,
    )


def _allowed(
    context: DecisionContext[Contact] | DecisionContext[Use], gates: list[Gate]
) -> DecisionResult:
    # All checks ran and none denied, so the basis check granted.
    assert context.basis is not None
    granting = context.basis
    deciding = context.person_first or granting
    return DecisionResult(
        effect="allow",
        code=deciding.code,
        layer=_LAYERS[deciding.layer],
        gates=tuple(gates),
        basis=_BASES[granting.code] + "".join(granting.evidence),
        budget_windows=tuple(context.budget_windows),
        route_to="person" if deciding is not granting else "",
        language=_language(context),
        customer_version=_customer_version(context.facts),
        rules_version=context.rules.version,
    )


def _language(context: DecisionContext[Contact] | DecisionContext[Use]) -> str:
    settings = context.settings.get("language")
    if settings:
        return str(settings[0].value)
    return context.facts.language or context.rules.language


# The facts and the rules may be corrupt here.


def _customer_version(facts: Facts) -> int:
    version = getattr(facts, "version", None)
    return version if type(version) is int else 0


def _rules_version(rules: Rules) -> str:
    version = getattr(rules, "version", None)
    return version if type(version) is str else ""
