"""The language of a message: the customer's setting, else the record's, else the company's. Pure."""

from butler.decisions.context import DecisionContext
from butler.types import Contact, Use


def decided_language(context: DecisionContext[Contact] | DecisionContext[Use]) -> str:
    """Return the language in which the message is written."""
    settings = context.settings.get("language")
    if settings:
        return str(settings[0].value)
    return context.facts.language or context.rules.language
