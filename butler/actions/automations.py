"""Loads automations from files. Each changed file becomes a new version with status draft."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec
from django.db import transaction
from django.db.models import Max

from butler.actions.automation_versions import Operator
from butler.automations.loader import AutomationFile, InvalidAutomations
from butler.automations.validation.file import validate_file
from butler.automations.validation.problems import AllowedReferences, FileProblem
from butler.decisions.inputs import CHANNELS
from butler.document import AutomationDocument, OnAbsence, OnEvent, WaitForStep, steps_with_paths
from butler.models import Automation, AutomationVersion
from customers.actions.notices import NoticeChanged, NoticeText, PurposeText, TopicText, publish
from customers.consent.hash_chain import NotCanonical, canonical_json
from customers.models import Purpose, Topic


class VersionChange(NamedTuple):
    """The version of an automation that the load made or found for one file."""

    key: str
    number: int
    kind: Literal["new", "changed", "same"]
    status: str


class LoadSummary(NamedTuple):
    """The versions of one load, and the number of notices that it published."""

    changes: tuple[VersionChange, ...]
    notices: int


@transaction.atomic
def load(
    documents: Sequence[AutomationFile],
    purposes: Sequence[PurposeText] = (),
    topics: Sequence[TopicText] = (),
    *,
    notices: Sequence[NoticeText] = (),
    now: datetime,
    by: Operator,
) -> LoadSummary:
    """Load all files and return the versions; raise InvalidAutomations with all problems.

    An unchanged file keeps its version. A changed file becomes a new version with status draft.
    """
    existing = _existing_versions(documents)
    checked = validate([file for file in documents if file.name not in existing], purposes, topics)
    published = _publish(purposes, topics, notices, now)
    changes = [_store_version(file, document, by) for file, document in checked]
    return LoadSummary(tuple(sorted([*existing.values(), *changes])), published)


def _publish(
    purposes: Sequence[PurposeText],
    topics: Sequence[TopicText],
    notices: Sequence[NoticeText],
    now: datetime,
) -> int:
    """Publish the purposes, topics and notices; return how many notices are new."""
    try:
        return publish(purposes=purposes, notices=notices, topics=topics, now=now)
    except NoticeChanged as error:
        reason = f"{error} was already published; give the changed text a new version"
        raise InvalidAutomations([FileProblem("purposes.toml", "notice", reason)]) from None


def _existing_versions(documents: Sequence[AutomationFile]) -> dict[str, VersionChange]:
    """Return the files that are already a version, by file name. They were validated before."""
    digests = {_digest(file): file.name for file in documents}
    versions = AutomationVersion.objects.filter(digest__in=digests)
    return {
        digests[digest]: VersionChange(key, number, "same", status)
        for digest, key, number, status in versions.values_list(
            "digest", "automation_id", "number", "status"
        )
    }


def _digest(file: AutomationFile) -> str:
    try:
        return sha256(canonical_json(file.content)).hexdigest()
    except NotCanonical:
        # Such as a number with a decimal point. The validation reports the field.
        return ""


def validate(
    documents: Sequence[AutomationFile],
    purposes: Sequence[PurposeText] = (),
    topics: Sequence[TopicText] = (),
) -> list[tuple[AutomationFile, AutomationDocument]]:
    """Return each file with its document, or raise InvalidAutomations. Writes no row."""
    allowed = AllowedReferences(
        purposes=dict(Purpose.objects.values_list("key", "kind"))
        | {purpose.key: purpose.kind for purpose in purposes},
        topics={*Topic.objects.values_list("key", flat=True), *(topic.key for topic in topics)},
        channels=CHANNELS,
    )
    checked = [(file, *validate_file(file.name, file.content, allowed)) for file in documents]
    valid = [(file, document) for file, document, _ in checked if document]
    problems = [problem for _, _, problems in checked for problem in problems]
    problems += _unknown_audiences(valid)
    if problems:
        raise InvalidAutomations(problems)
    return valid


def _unknown_audiences(
    valid: Sequence[tuple[AutomationFile, AutomationDocument]],
) -> Iterable[FileProblem]:
    """Yield a problem for each audience that names an unknown automation."""
    loaded_keys = {document.key for _, document in valid}
    for file, document in valid:
        kind, _, name = getattr(document.trigger, "audience", "").partition(":")
        if (
            kind != "notified"
            or name in loaded_keys
            or Automation.objects.filter(key=name).exists()
        ):
            continue
        yield FileProblem(file.name, "trigger.audience", f"there is no automation {name}")


def _store_version(
    file: AutomationFile, document: AutomationDocument, by: Operator
) -> VersionChange:
    digest = _digest(file)
    Automation.objects.get_or_create(key=document.key)
    # The lock makes concurrent loads give different numbers.
    automation = Automation.objects.select_for_update().get(key=document.key)
    same = _same_version(automation, digest, document)
    if same:
        return VersionChange(document.key, same.number, "same", same.status)
    number = (automation.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = AutomationVersion.objects.create(
        automation=automation,
        number=number,
        document=msgspec.to_builtins(document),
        digest=digest,
        trigger=str(document.trigger.__struct_config__.tag),
        event_names=_event_names(document),
        awaited_names=_awaited_names(document),
        loaded_by=by.name,
        loaded_by_login=by.login,
    )
    return VersionChange(document.key, number, "new" if number == 1 else "changed", version.status)


def _same_version(
    automation: Automation, digest: str, document: AutomationDocument
) -> AutomationVersion | None:
    """Return the version with the same digest, or with an equal document.

    The digests differ if a migration renamed a field of the stored document.
    """
    return (
        automation.versions.filter(digest=digest).first()
        or automation.versions.filter(document=msgspec.to_builtins(document)).first()
    )


def _event_names(document: AutomationDocument) -> list[str]:
    trigger = document.trigger
    return [trigger.event] if isinstance(trigger, OnEvent | OnAbsence) else []


def _awaited_names(document: AutomationDocument) -> list[str]:
    steps = (step for _, step in steps_with_paths(document.steps))
    names = {step.event for step in steps if isinstance(step, WaitForStep)}
    if isinstance(document.trigger, OnAbsence):
        names.add(document.trigger.absent)
    return sorted(names)
