"""What gives permission: a consent, a live relation, or a duty. Nothing else does. Pure.

An act names one basis and stands or falls with it: where a consent is missing, a relation
does not help, and the other way round.
"""

from butler.decisions.context import Case, carries, denies
from butler.types import Contact, Gate, Relation, Use

# Refusals of the customer's own have codes of their own; all else was never a yes.
_NO = {
    "refused": "consent_refused",
    "withdrawn": "consent_withdrawn",
    "expired": "consent_expired",
}
_ANY_RELATION = frozenset({"order", "visit", "request"})


def consent(case: Case[Contact] | Case[Use]) -> Gate:
    """Ask for a yes to the purpose: to words we know, and not run out."""
    purpose = case.act.purpose
    standing = case.control.consents.get(purpose)
    if standing is None:
        return denies("basis", "basis", "no_consent", inputs={"purpose": purpose})
    evidence, inputs = (standing.entry,), {"purpose": purpose, "state": standing.state}
    if standing.state != "given":
        code = _NO.get(standing.state, "no_consent")
        return denies("basis", "basis", code, evidence, inputs)
    if not (type(standing.notice) is str and standing.notice and standing.entry):
        return denies("basis", "basis", "consent_no_notice", evidence, inputs)
    if standing.valid_until is not None and standing.valid_until <= case.now:
        return denies("basis", "basis", "consent_expired", evidence, inputs)
    return carries(case, "consent_given", evidence, inputs)


def relation(case: Case[Contact] | Case[Use]) -> Gate:
    """Ask for the live order, visit or request that the act belongs to."""
    return _relation(case, _ANY_RELATION)


def request(case: Case[Contact]) -> Gate:
    """Ask for the open request that is answered."""
    return _relation(case, frozenset({"request"}))


def duty(case: Case[Contact]) -> Gate:
    """Take the duty that the class names; which messages have one, people decide."""
    return carries(case, "legal_duty")


def live_relation(case: Case[Contact] | Case[Use]) -> Relation | None:
    return (case.facts.relations or {}).get(case.act.relation)


def _relation(case: Case[Contact] | Case[Use], kinds: frozenset[str]) -> Gate:
    name = case.act.relation
    found = live_relation(case)
    if not name or found is None or found.kind not in kinds or case.now < found.since:
        return denies("basis", "basis", "no_relation", inputs={"relation": name})
    evidence, inputs = (name,), {"relation": name, "kind": found.kind, "until": found.until}
    if case.now >= found.until:
        return denies("basis", "basis", "relation_over", evidence, inputs)
    return carries(case, "relation_live", evidence, inputs)
