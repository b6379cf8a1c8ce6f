"""Puts a message into words at the moment it leaves, in the version its run is pinned to."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from butler.document import Document
from butler.messages import render
from butler.models import AutomationVersion


class Words(NamedTuple):
    """A message in words."""

    language: str
    subject: str
    text: str
    html: str


class Unsaid(Exception):
    """It cannot be said; `reason` is a code of butler.decisions.reasons.catalog."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def words_of(
    *,
    version_id: int | None,
    step: str,
    channel: str,
    facts: Mapping[str, Any],
    language: str,
    links: Mapping[str, str],
) -> Words:
    """Return the words of a message; raise Unsaid where something in them is missing.

    A message that no automation says carries its own: {"words": {"subject", "text"}}.
    """
    if version_id is None:
        own = facts.get("words", {})
        if not own.get("text"):
            raise Unsaid("missing_value")
        return Words(language, own.get("subject", ""), own["text"], own.get("html", ""))
    document = document_of(version_id)
    try:
        said = render.render(document, step, channel, facts, links, language)
    except render.Missing as missing:
        raise Unsaid("missing_value") from missing
    return Words(said.language, said.subject, said.text, said.html)


@lru_cache(maxsize=512)
def document_of(version_id: int) -> Document:
    """Return the document of a version. It never changes, so it is read once."""
    document = AutomationVersion.objects.values_list("document", flat=True).get(pk=version_id)
    return msgspec.convert(document, Document, strict=False)
