"""What the law and the state of an address forbid, whatever anybody agreed to. Pure."""

from butler.decisions.context import Case, denies, passed
from butler.types import Contact, Gate, Use

# Channels that end inside the customer's own pages.
WITHOUT_ADDRESS = frozenset({"inbox"})
# A complaint ends what we like to say; that a duty has to be said does not change.
_SUPPRESSIONS = {
    "bounced": frozenset[str](),
    "complained": frozenset({"legal_duty"}),
    "stopped": frozenset[str](),
}
# What is answered where there is nothing to look at.
_UNRESTRICTED = passed("restriction", "legal")
_NO_OBJECTION = passed("objection", "legal")
_NEEDS_NONE = passed("address", "legal")
_OF_AGE = passed("age", "legal")


def restriction(case: Case[Contact] | Case[Use]) -> Gate:
    """Ask whether all use is restricted (GDPR Art. 18)."""
    entry = case.control.restricted
    if entry:
        return denies("restriction", "legal", "restricted", (entry,))
    return _UNRESTRICTED


def marketing_objection(case: Case[Contact]) -> Gate:
    """Ask whether the customer objected to direct marketing (GDPR Art. 21), or to this."""
    return _objection(case, ("marketing", case.act.purpose))


def objection(case: Case[Contact] | Case[Use]) -> Gate:
    """Ask whether the customer objected to the purpose."""
    return _objection(case, (case.act.purpose,))


def _objection(case: Case[Contact] | Case[Use], subjects: tuple[str, ...]) -> Gate:
    objections = case.control.objections
    for subject in subjects:
        if subject in objections:
            return denies("objection", "legal", "objected", (objections[subject],))
    return _NO_OBJECTION


def address(case: Case[Contact]) -> Gate:
    """Ask whether the channel reaches the customer at an address that takes messages."""
    channel = case.act.channel
    if channel in WITHOUT_ADDRESS:
        return _NEEDS_NONE
    found = (case.facts.addresses or {}).get(channel)
    if found is None or not found.value:
        return denies("address", "legal", "no_address", inputs={"channel": channel})
    if found.suppressed != "":
        evidence = (found.evidence,) if found.evidence else ()
        spared = _SUPPRESSIONS.get(found.suppressed)
        if spared is None:
            return denies("address", "legal", "unknown_address", evidence)
        if case.act.message_class not in spared:
            return denies("address", "legal", f"address_{found.suppressed}", evidence)
    return Gate("address", "legal", "pass", "", (), {"channel": channel})


def age(case: Case[Contact] | Case[Use]) -> Gate:
    """Ask whether a consent of this customer counts (GDPR Art. 8)."""
    if case.facts.is_of_age is not True:
        return denies("age", "legal", "not_of_age")
    return _OF_AGE
