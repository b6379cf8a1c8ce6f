"""What the customer's own terms forbid. Nobody has terms yet, so nothing does. Pure."""

from butler.case import Answer, Case, passes
from butler.profile import Contact, Use

_NONE = passes("terms", "terms", "no_terms")


def terms(_case: Case[Contact] | Case[Use]) -> Answer:
    """Ask each clause that the customer and the company agreed on."""
    return _NONE
