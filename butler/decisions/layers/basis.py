"""Checks of the legal basis: a consent, a live relation, or a legal duty gives permission. Pure.

Each act names one basis. If that basis is missing, another one cannot replace it: a relation does
not replace a missing consent, and a consent does not replace a missing relation.
"""

from butler.decisions.context import DecisionContext, deny, grant
from butler.types import Contact, Gate, Relation, Use

# The code for each state of a consent that is not given. Other states have no_consent.
_REFUSALS = {
    "refused": "consent_refused",
    "withdrawn": "consent_withdrawn",
    "expired": "consent_expired",
}
_ANY_RELATION = frozenset({"order", "visit", "request"})


def consent(context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Check that there is a valid consent to the purpose, with the digest of its notice."""
    purpose = context.act.purpose
    statement = context.consent_state.consents.get(purpose)
    if statement is None:
        return deny("basis", "basis", "no_consent", inputs={"purpose": purpose})
    references, inputs = (statement.entry,), {"purpose": purpose, "state": statement.state}
    if statement.state != "given":
        code = _REFUSALS.get(statement.state, "no_consent")
        return deny("basis", "basis", code, references, inputs)
    if not (type(statement.notice) is str and statement.notice and statement.entry):
        return deny("basis", "basis", "consent_no_notice", references, inputs)
    if statement.valid_until is not None and statement.valid_until <= context.now:
        return deny("basis", "basis", "consent_expired", references, inputs)
    return grant(context, "consent_given", references, inputs)


def relation(context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Check that the order, visit or request of the act is live."""
    return _relation(context, _ANY_RELATION)


def request(context: DecisionContext[Contact]) -> Gate:
    """Check that the request that the message answers is live."""
    return _relation(context, frozenset({"request"}))


def legal_duty(context: DecisionContext[Contact]) -> Gate:
    """Grant by the legal duty that the message class names."""
    return grant(context, "legal_duty")


def live_relation(context: DecisionContext[Contact] | DecisionContext[Use]) -> Relation | None:
    """Return the relation that the act names, or None if the facts do not contain it."""
    return (context.facts.relations or {}).get(context.act.relation)


def _relation(
    context: DecisionContext[Contact] | DecisionContext[Use], kinds: frozenset[str]
) -> Gate:
    name = context.act.relation
    relation = live_relation(context)
    if not name or relation is None or relation.kind not in kinds or context.now < relation.since:
        return deny("basis", "basis", "no_relation", inputs={"relation": name})
    references, inputs = (name,), {"relation": name, "kind": relation.kind, "until": relation.until}
    if context.now >= relation.until:
        return deny("basis", "basis", "relation_over", references, inputs)
    return grant(context, "relation_live", references, inputs)
