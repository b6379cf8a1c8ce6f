"""The butler's judgement: may we say this, may we use that, and why. Pure.

Layers are asked in order: integrity, legal, terms, basis, preference, company. Each only
narrows; the basis alone gives permission. The first no ends it. A "not yet" is remembered
while the rest is asked, and the latest of them counts: a no beats it, and so does the end of
the time in which the message makes sense. What cannot be told is a no.
"""

from collections.abc import Sequence
from datetime import datetime

from butler.decisions.context import Case, Question, UnknownZone, read_wishes
from butler.decisions.layers import basis, company, integrity, legal, preference
from butler.decisions.layers.terms import terms
from butler.types import Contact, Decision, Facts, Gate, Layer, Rules, Use
from customers.consent.preferences import MalformedValue

_UNDERSTOOD: tuple[Question[Contact], ...] = (
    integrity.switch,
    integrity.knowledge,
    integrity.contact,
)
_WISHED: tuple[Question[Contact], ...] = (preference.settings, preference.allow)
_COUNTED: tuple[Question[Contact], ...] = (
    preference.budget,
    preference.quiet_hours,
    company.budget,
    company.quiet_hours,
)
_CONSENTED: tuple[Question[Contact], ...] = (
    legal.address,
    legal.age,
    terms,
    basis.consent,
    *_WISHED,
    preference.pause,
    preference.only_when_i_ask,
)

# What is asked of each class, in order: its column of the rules, to be read from the top.
QUESTIONS: dict[str, tuple[Question[Contact], ...]] = {
    "legal_duty": (legal.address, basis.duty),
    "service_critical": (legal.restriction, legal.address, terms, basis.relation, *_WISHED),
    "service": (
        legal.restriction,
        legal.address,
        terms,
        basis.relation,
        *_WISHED,
        preference.pause,
        preference.only_when_i_ask,
        *_COUNTED,
    ),
    "answer": (
        legal.restriction,
        legal.address,
        terms,
        basis.request,
        *_WISHED,
        preference.person_first,
        *_COUNTED,
    ),
    "relationship": (
        legal.restriction,
        legal.marketing_objection,
        *_CONSENTED,
        preference.person_first,
        *_COUNTED,
    ),
    "marketing": (legal.restriction, legal.marketing_objection, *_CONSENTED, *_COUNTED),
    "peer": (legal.restriction, legal.objection, *_CONSENTED, *_COUNTED),
}
_ASKED = {name: (*_UNDERSTOOD, *asked) for name, asked in QUESTIONS.items()}
_USE: tuple[Question[Use], ...] = (
    integrity.switch,
    integrity.knowledge,
    integrity.use,
    legal.restriction,
    legal.objection,
)
_USE_BY_RELATION: tuple[Question[Use], ...] = (terms, basis.relation)
_USE_BY_CONSENT: tuple[Question[Use], ...] = (legal.age, terms, basis.consent)
_USE_WISHED: tuple[Question[Use], ...] = (preference.settings_of_use, preference.data_use)

_LAYERS: dict[str, Layer] = {
    "integrity": "integrity",
    "legal": "legal",
    "terms": "terms",
    "basis": "basis",
    "preference": "preference",
    "company": "company",
}
_BASES = {"consent_given": "consent:", "relation_live": "relation:", "legal_duty": "legal_duty"}

# What corrupt facts lead to: a time without a zone that is compared, a list that is a number.
_CORRUPT = (TypeError, ValueError, AttributeError, LookupError, OverflowError)


def decide(act: Contact | Use, facts: Facts, rules: Rules, now: datetime) -> Decision:
    """Return whether something may be said or used now, later, or not at all, and why."""
    gates: list[Gate] = []
    try:
        if isinstance(act, Use):
            return _decide_use(Case(act, facts, rules, now), gates)
        return _decide_contact(Case(act, facts, rules, now), gates)
    except UnknownZone:
        code = "unknown_zone"
    except _CORRUPT:
        code = "unknown_facts"
    gates.append(Gate("integrity", "integrity", "deny", code))
    return _denied(gates, facts, rules)


def order_channels(facts: Facts, candidates: Sequence[str]) -> tuple[str, ...]:
    """Return the channels in the order in which the customer wants to be reached.

    First those they named, then the others as they came, last those they turned off.
    """
    settings = facts.control.settings if facts.control else ()
    wishes: dict[str, int] = {}
    try:
        for wish in read_wishes(settings, "*", "*").get("channel_order", ()):
            wishes |= {str(name): place for place, name in enumerate(_names(wish.value))}
        off = {
            one
            for one in candidates
            for wish in read_wishes(settings, one, "*").get("allow", ())
            if wish.value is False
        }
    except MalformedValue:
        return tuple(candidates)
    last = len(wishes)
    return tuple(sorted(candidates, key=lambda one: (one in off, wishes.get(one, last))))


def _names(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _decide_contact(case: Case[Contact], gates: list[Gate]) -> Decision:
    # Of a class that there is not, understanding what is to be said already says no.
    deferral = _ask(case, _ASKED.get(case.act.message_class, _UNDERSTOOD), gates)
    if gates[-1].verdict == "deny":
        return _denied(gates, case.facts, case.rules)
    if deferral:
        return _deferred(case, gates, deferral)
    return _allowed(case, gates)


def _decide_use(case: Case[Use], gates: list[Gate]) -> Decision:
    by = _USE_BY_RELATION if case.act.relation else _USE_BY_CONSENT
    _ask(case, (*_USE, *by, *_USE_WISHED), gates)
    if gates[-1].verdict == "deny":
        return _denied(gates, case.facts, case.rules)
    return _allowed(case, gates)


def _ask[A: (Contact, Use)](
    case: Case[A], questions: tuple[Question[A], ...], gates: list[Gate]
) -> Gate | None:
    """Ask until somebody says no; return the latest "not yet"."""
    latest: Gate | None = None
    end: datetime | None = None
    for question in questions:
        gate = question(case)
        gates.append(gate)
        if gate.verdict == "deny":
            break
        until = gate.until
        if until is not None and (end is None or until > end):
            latest, end = gate, until
    return latest


def _denied(gates: list[Gate], facts: Facts, rules: Rules) -> Decision:
    last = gates[-1]
    return Decision(
        effect="deny",
        code=last.code,
        layer=_LAYERS[last.layer],
        gates=tuple(gates),
        customer_version=_number(facts),
        rules_version=_version(rules),
    )


def _deferred(case: Case[Contact], gates: list[Gate], gate: Gate) -> Decision:
    until = gate.until
    assert until is not None
    # Whoever reads on finds the one that decided at the end.
    gates[:] = [*(one for one in gates if one is not gate), gate]
    if until >= case.act.expires_at:
        inputs = {"because": gate.code, "until": until, "expires_at": case.act.expires_at}
        gates.append(Gate("expiry", gate.layer, "deny", "stale", gate.evidence, inputs))
        return _denied(gates, case.facts, case.rules)
    return Decision(
        effect="defer",
        code=gate.code,
        layer=_LAYERS[gate.layer],
        gates=tuple(gates),
        until=until,
        customer_version=_number(case.facts),
        rules_version=case.rules.version,
    )


def _allowed(case: Case[Contact] | Case[Use], gates: list[Gate]) -> Decision:
    # Who was asked everything was asked for a basis, and none denied.
    assert case.basis is not None
    carrier = case.basis
    decider = case.person_first or carrier
    return Decision(
        effect="allow",
        code=decider.code,
        layer=_LAYERS[decider.layer],
        gates=tuple(gates),
        basis=_BASES[carrier.code] + "".join(carrier.evidence),
        takes=tuple(case.takes),
        route_to="person" if decider is not carrier else "",
        language=_language(case),
        customer_version=_number(case.facts),
        rules_version=case.rules.version,
    )


def _language(case: Case[Contact] | Case[Use]) -> str:
    wishes = case.wishes.get("language")
    return str(wishes[0].value) if wishes else case.facts.language


# The facts themselves may be what is corrupt.


def _number(facts: Facts) -> int:
    version = getattr(facts, "version", None)
    return version if type(version) is int else 0


def _version(rules: Rules) -> str:
    version = getattr(rules, "version", None)
    return version if type(version) is str else ""
