"""Checks of legal prohibitions and of the address. A consent does not override them. Pure."""

from datetime import datetime

from butler.decisions.context import DecisionContext, deny, pass_gate
from butler.types import Contact, Gate, Use

# Channels that need no address.
WITHOUT_ADDRESS = frozenset({"inbox"})
# The message classes that may be sent to a suppressed address, by the reason.
_CLASSES_TO_SUPPRESSED = {
    "bounced": frozenset[str](),
    "complained": frozenset({"legal_duty"}),
    "stopped": frozenset[str](),
}
_RESTRICTION_PASS = pass_gate("restriction", "legal")
_OBJECTION_PASS = pass_gate("objection", "legal")
_ADDRESS_PASS = pass_gate("address", "legal")
_AGE_PASS = pass_gate("age", "legal")


def restriction(context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Check whether the customer restricted all processing (GDPR Art. 18)."""
    entry = context.consent_state.restricted
    if entry:
        return deny("restriction", "legal", "restricted", (entry,))
    return _RESTRICTION_PASS


def marketing_objection(context: DecisionContext[Contact]) -> Gate:
    """Check for an objection to direct marketing (GDPR Art. 21), or to the purpose."""
    return _objection(context, ("marketing", context.act.purpose))


def objection(context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Check whether the customer objected to the purpose."""
    return _objection(context, (context.act.purpose,))


def _objection(
    context: DecisionContext[Contact] | DecisionContext[Use], subjects: tuple[str, ...]
) -> Gate:
    objections = context.consent_state.objections
    for subject in subjects:
        if subject in objections:
            return deny("objection", "legal", "objected", (objections[subject],))
    if _address_refuses(context, subjects):
        return deny("objection", "legal", "objected")
    return _OBJECTION_PASS


def _address_refuses(
    context: DecisionContext[Contact] | DecisionContext[Use], subjects: tuple[str, ...]
) -> bool:
    """Tell whether an erased holder of the address refused this, and nobody proved it since."""
    if not isinstance(context.act, Contact):
        return False
    address = (context.facts.addresses or {}).get(context.act.channel)
    return address is not None and not address.refused.isdisjoint(subjects)


def address(context: DecisionContext[Contact]) -> Gate:
    """Check whether the customer has an address for the channel that is not suppressed."""
    channel = context.act.channel
    if channel in WITHOUT_ADDRESS:
        return _ADDRESS_PASS
    address = context.facts.find_address(context.act)
    if address is None or not address.value:
        return deny("address", "legal", "no_address", inputs={"channel": channel})
    if address.not_mine_at is not None and not _is_later(context, address.not_mine_at):
        return deny("address", "legal", "address_not_mine", inputs={"channel": channel})
    if address.suppressed != "":
        references = (address.evidence,) if address.evidence else ()
        allowed_classes = _CLASSES_TO_SUPPRESSED.get(address.suppressed)
        if allowed_classes is None:
            return deny("address", "legal", "unknown_address", references)
        if context.act.message_class not in allowed_classes:
            return deny("address", "legal", f"address_{address.suppressed}", references)
    return Gate(gate="address", layer="legal", verdict="pass", code="", inputs={"channel": channel})


def _is_later(context: DecisionContext[Contact], moment: datetime) -> bool:
    """Tell whether the order or request of a message began after this moment."""
    relations = context.facts.relations or {}
    relation = relations.get(context.act.relation)
    # A visit begins days before its date; its order tells when the customer named the address.
    origin = relations.get(relation.evidence, relation) if relation else None
    return origin is not None and origin.since > moment


def age(context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Check whether the customer is old enough to consent (GDPR Art. 8)."""
    if context.facts.is_of_age is not True:
        return deny("age", "legal", "not_of_age")
    return _AGE_PASS
