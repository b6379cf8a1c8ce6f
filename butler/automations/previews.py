"""Renders the texts of a version, and its difference from another version, for the approver."""

import json
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, NamedTuple

from butler.automations import sample_customers
from butler.document import AutomationDocument, MessageStep, steps_with_paths
from butler.messages.render import render
from butler.messages.templating import MissingValues


class Preview(NamedTuple):
    """One rendered text, or the values that are missing (`missing`)."""

    step: str
    language: str
    channels: str
    subject: str
    text: str
    short: str
    missing: str = ""


class DiffLine(NamedTuple):
    """One line of a difference: "+" added, "-" removed, " " unchanged, "@" a position."""

    sign: str
    text: str


def render_previews(
    document: AutomationDocument, record: Mapping[str, Any] | None = None
) -> Iterator[Preview]:
    """Yield every text in every language, for this record or else for a sample customer."""
    context = sample_customers.full(document)
    if record is not None:
        # There is no run yet, so its cause comes from the sample customer.
        cause = context.keys() & {"event", "topic", "member"}
        context = {name: context[name] for name in cause} | dict(record)
    for path, step in steps_with_paths(document.steps):
        if isinstance(step, MessageStep):
            for language in step.texts:
                yield _preview(document, path, step, language, context)


def _preview(
    document: AutomationDocument,
    path: str,
    step: MessageStep,
    language: str,
    context: Mapping[str, Any],
) -> Preview:
    channels = ", ".join(step.channels)
    try:
        message = render(document, path, "inbox", context, sample_customers.LINKS, language)
        short = render(document, path, "sms", context, sample_customers.LINKS, language)
    except MissingValues as missing:
        return Preview(path, language, channels, "", "", "", ", ".join(missing.names))
    is_short = "sms" in step.channels
    return Preview(
        path, language, channels, message.subject, message.text, short.text if is_short else ""
    )


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[DiffLine]:
    """Return the lines in which two documents differ; empty if they are equal."""
    lines = list(unified_diff(_json_lines(old), _json_lines(new), lineterm="", n=2))[2:]
    return [DiffLine(line[0], line if line[0] == "@" else line[1:]) for line in lines]


def _json_lines(document: Mapping[str, Any]) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True).splitlines()
