"""Decides whether Butler may send a message or use data, and returns the reason. Pure.

The checks of the layers run in order: integrity, legal, terms, basis, preference, company. Only
the basis layer gives permission; the other layers can deny or defer. The first denial ends the
decision. After a deferral the other checks still run, and the latest deferral counts. A denial
overrides a deferral, and so does the expiry of the message. Missing facts deny.
"""

from datetime import datetime

from butler.decisions.checks import (
    CONSENT_CHECKS,
    CONTACT_CHECKS,
    INTEGRITY_CHECKS,
    USE_CHECKS,
    USE_CONSENT_CHECKS,
    USE_PREFERENCE_CHECKS,
    USE_RELATION_CHECKS,
)
from butler.decisions.context import Check, DecisionContext, UnknownZone
from butler.decisions.language import decided_language
from butler.types import Contact, DecisionResult, Facts, Gate, Layer, Rules, Use

_LAYERS: dict[str, Layer] = {
    "integrity": "integrity",
    "legal": "legal",
    "terms": "terms",
    "basis": "basis",
    "preference": "preference",
    "company": "company",
}
_BASES = {"consent_given": "consent:", "relation_live": "relation:", "legal_duty": "legal_duty"}

# The errors that corrupt facts can cause, such as a comparison with a naive datetime.
_CORRUPT = (TypeError, ValueError, AttributeError, LookupError, OverflowError)


def decide(act: Contact | Use, facts: Facts, rules: Rules, now: datetime) -> DecisionResult:
    """Return whether the act is allowed, deferred or denied, with the reason code and gates."""
    gates: list[Gate] = []
    try:
        if isinstance(act, Use):
            return _decide_use(DecisionContext(act, facts, rules, now), gates)
        return _decide_contact(DecisionContext(act, facts, rules, now), gates)
    except UnknownZone:
        code = "unknown_zone"
    except _CORRUPT:
        code = "unknown_facts"
    gates.append(Gate(gate="integrity", layer="integrity", verdict="deny", code=code))
    return _denied(gates, facts, rules)


def has_consent(facts: Facts, rules: Rules, purpose: str, now: datetime) -> bool:
    """Return whether the customer consents to contact for a purpose, on any channel at any time.

    Returns False for missing or corrupt facts.
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
        return facts.consent_state is not None and all(
            check(context).verdict != "deny" for check in CONSENT_CHECKS
        )
    except _CORRUPT:
        return False


def _decide_contact(context: DecisionContext[Contact], gates: list[Gate]) -> DecisionResult:
    # For an unknown message class the integrity checks already deny.
    deferral = _run_checks(
        context, CONTACT_CHECKS.get(context.act.message_class, INTEGRITY_CHECKS), gates
    )
    if gates[-1].verdict == "deny":
        return _denied(gates, context.facts, context.rules)
    if deferral:
        return _deferred(context, gates, deferral)
    return _allowed(context, gates)


def _decide_use(context: DecisionContext[Use], gates: list[Gate]) -> DecisionResult:
    basis_checks = USE_RELATION_CHECKS if context.act.relation else USE_CONSENT_CHECKS
    _run_checks(context, (*USE_CHECKS, *basis_checks, *USE_PREFERENCE_CHECKS), gates)
    if gates[-1].verdict == "deny":
        return _denied(gates, context.facts, context.rules)
    return _allowed(context, gates)


def _run_checks[A: (Contact, Use)](
    context: DecisionContext[A], checks: tuple[Check[A], ...], gates: list[Gate]
) -> Gate | None:
    """Run the checks until one denies; return the deferral with the latest end, or None."""
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
    # The deciding gate must be the last one.
    gates[:] = [*(other for other in gates if other is not gate), gate]
    if until >= context.act.expires_at:
        inputs = {"because": gate.code, "until": until, "expires_at": context.act.expires_at}
        gates.append(
            Gate(
                gate="expiry",
                layer=gate.layer,
                verdict="deny",
                code="stale",
                references=gate.references,
                inputs=inputs,
            )
        )
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
        basis=_BASES[granting.code] + "".join(granting.references),
        budget_windows=tuple(context.budget_windows),
        route_to="person" if deciding is not granting else "",
        language=decided_language(context),
        customer_version=_customer_version(context.facts),
        rules_version=context.rules.version,
    )


# The facts and the rules may be corrupt here.


def _customer_version(facts: Facts) -> int:
    version = getattr(facts, "version", None)
    return version if type(version) is int else 0


def _rules_version(rules: Rules) -> str:
    version = getattr(rules, "version", None)
    return version if type(version) is str else ""
