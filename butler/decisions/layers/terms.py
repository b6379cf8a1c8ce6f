"""Checks of the customer's own terms. No customer has terms yet. Pure."""

from butler.decisions.context import DecisionContext
from butler.types import Contact, Gate, Use

_TERMS_PASS = Gate(gate="terms", layer="terms", verdict="pass", code="no_terms")


def terms(_context: DecisionContext[Contact] | DecisionContext[Use]) -> Gate:
    """Pass every act, because no customer has terms yet."""
    return _TERMS_PASS
