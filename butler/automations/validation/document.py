"""Validates the key, the names and the legal basis of an automation. Pure."""

import re

from butler.automations.validation.problems import (
    AllowedReferences,
    Problems,
    condition_problem,
    parse_problem,
    required_languages,
)
from butler.decisions.reasons.catalog import LANGUAGES
from butler.document import AutomationDocument
from butler.due import civil_time

CONSENT_CLASSES = frozenset({"relationship", "marketing", "peer"})
RELATION_CLASSES = frozenset({"service", "service_critical", "answer"})
RELATIONS = frozenset({"order", "visit", "request"})

_KEY = re.compile(r"[a-z][a-z0-9-]{1,62}[a-z0-9]\Z")


def identity_problems(document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    """Check the key, the names, the priority, the expiry and the condition."""
    if not _KEY.match(document.key):
        yield "key", "must have lower-case letters, digits and hyphens only, such as visit-reminder"
    for language in document.languages:
        if language not in LANGUAGES:
            yield "languages", f"{language} is not one of {', '.join(LANGUAGES)}"
    for language in required_languages(document):
        if not document.name.get(language, "").strip():
            yield f"name.{language}", "is missing"
    if not 1 <= document.priority <= 9:
        yield "priority", "must be from 1 (sent first) to 9"
    yield from parse_problem("expires", document.expires, civil_time.parse_duration)
    if document.condition:
        yield from condition_problem("condition", document.condition)


def basis_problems(document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    """Check that the message class permits this purpose or relation as its legal basis."""
    kind = document.message_class
    if document.topic not in allowed.topics:
        yield "topic", f"there is no topic {document.topic}"
    if kind in CONSENT_CLASSES and allowed.purposes.get(document.purpose) != "contact":
        yield (
            "purpose",
            f"{kind} needs a purpose of the kind contact; {document.purpose or 'none'} is not one",
        )
    if kind not in CONSENT_CLASSES and document.purpose:
        yield "purpose", f"{kind} has no purpose, because it needs no consent"
    if kind in RELATION_CLASSES and document.relation not in RELATIONS:
        yield "relation", f"{kind} needs one of {', '.join(sorted(RELATIONS))}"
    if kind == "answer" and document.relation in ("order", "visit"):
        yield "relation", "must be request, because an answer belongs to a request"
    if kind not in RELATION_CLASSES and document.relation:
        yield "relation", f"{kind} has no relation"
