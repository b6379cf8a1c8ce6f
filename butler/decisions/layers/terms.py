"""What the customer's own terms forbid. Nobody has terms yet, so nothing does. Pure."""

from butler.decisions.context import Case
from butler.types import Contact, Gate, Use

_NONE = Gate("terms", "terms", "pass", "no_terms")


def terms(_case: Case[Contact] | Case[Use]) -> Gate:
    """Ask each clause that the customer and the company agreed on."""
    return _NONE
