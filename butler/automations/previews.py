"""What an automation would say, and how one version differs from another, for whoever approves."""

import json
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, NamedTuple

from butler.automations import sample_customers
from butler.automations.validation import placed_steps
from butler.document import Document, MessageStep
from butler.messages.render import render
from butler.messages.templating import Missing


class Preview(NamedTuple):
    """One text, as it would be read; or what it lacks."""

    step: str
    language: str
    channels: str
    subject: str
    text: str
    short: str
    missing: str = ""


class Line(NamedTuple):
    """One line of a difference: "+" is new, "-" is gone, " " is as it was, "@" a place."""

    sign: str
    text: str


def previews(document: Document, record: Mapping[str, Any] | None = None) -> Iterator[Preview]:
    """Say every text in every language, to an invented person or to this record."""
    context = sample_customers.full(document)
    if record is not None:
        # Of what starts it there is nothing yet: that much stays invented.
        begun = context.keys() & {"event", "topic", "member"}
        context = {name: context[name] for name in begun} | dict(record)
    for path, step in placed_steps(document.steps):
        if isinstance(step, MessageStep):
            for language in step.texts:
                yield _preview(document, path, step, language, context)


def _preview(
    document: Document, path: str, step: MessageStep, language: str, context: Mapping[str, Any]
) -> Preview:
    channels = ", ".join(step.channels)
    try:
        said = render(document, path, "inbox", context, sample_customers.LINKS, language)
        short = render(document, path, "sms", context, sample_customers.LINKS, language)
    except Missing as missing:
        return Preview(path, language, channels, "", "", "", ", ".join(missing.names))
    is_short = "sms" in step.channels
    return Preview(
        path, language, channels, said.subject, said.text, short.text if is_short else ""
    )


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Line]:
    """Return how one document differs from another; nothing where it does not."""
    lines = list(unified_diff(_lines(old), _lines(new), lineterm="", n=2))[2:]
    return [Line(line[0], line if line[0] == "@" else line[1:]) for line in lines]


def _lines(document: Mapping[str, Any]) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True).splitlines()
