"""Validates the messages of an automation by rendering them for the sample customers. Pure."""

from typing import Any

from butler.automations import sample_customers
from butler.automations.validation.problems import AllowedReferences, Problems
from butler.document import AutomationDocument, MessageStep, steps_with_paths
from butler.messages.email_layout import unsafe_html
from butler.messages.render import render
from butler.messages.templating import InvalidTemplate, MissingValues


def sample_message_problems(document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    """Render every text for the sample customers and yield the problems."""
    samples = (
        ("", sample_customers.full(document)),
        ("without optional values: ", sample_customers.sparse(document)),
    )
    for path, step in steps_with_paths(document.steps):
        if not isinstance(step, MessageStep):
            continue
        for language in step.texts:
            for prefix, context in samples:
                reason = _rendering_problem(document, path, step, context, language)
                if reason:
                    yield f"steps.{path}.texts.{language}", prefix + reason
                    break


def _rendering_problem(
    document: AutomationDocument,
    path: str,
    step: MessageStep,
    context: dict[str, Any],
    language: str,
) -> str:
    try:
        for channel in dict.fromkeys((*step.channels, "email")):
            message = render(document, path, channel, context, sample_customers.LINKS, language)
            if not message.text.strip():
                return "the text is empty"
            if problems := unsafe_html(message.html):
                return "; ".join(problems)
    except MissingValues as missing:
        return f"the text cannot be filled: {', '.join(missing.names)}"
    except InvalidTemplate:
        # Another check yields this problem.
        return ""
    return ""
