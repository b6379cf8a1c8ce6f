"""The life of an automation: loaded, approved, live, paused, retired; and the switch.

A version is written once. What changes is which one is used, and who said so.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from butler import sql
from butler.automations import validation
from butler.automations.loader import AutomationFile, InvalidAutomations
from butler.automations.validation import AllowedReferences, FileProblem
from butler.decisions.inputs import CHANNELS
from butler.document import Document, OnAbsence, OnEvent, WaitForStep, steps_with_paths
from butler.due import notify
from butler.models import Automation, AutomationVersion, PauseSwitch
from customers import sql as customers_sql
from customers.actions.notices import NoticeChanged, NoticeText, PurposeText, TopicText, publish
from customers.consent.hash_chain import NotCanonical, canonical_json
from customers.events import log
from customers.models import Purpose, Topic

EVERYTHING = "*"
# Messages taken back in one transaction.
_WITHDRAWAL_BATCH = 2000
_IN_USE = (AutomationVersion.Status.LIVE, AutomationVersion.Status.PAUSED)


class Operator(NamedTuple):
    """Who loads, approves or activates a version."""

    name: str
    # Names change and are not unique; a login belongs to one person. None: not signed in.
    login: int | None = None


class VersionChange(NamedTuple):
    """The version that one file was loaded as."""

    key: str
    number: int
    kind: Literal["new", "changed", "same"]
    status: str


class LoadSummary(NamedTuple):
    """The versions of a load, and how many notices it published."""

    changes: tuple[VersionChange, ...]
    notices: int


class InvalidTransition(Exception):
    """The version cannot go from its status to this one, or not by this operator."""


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
    """Load all of these, or raise InvalidAutomations with everything that is wrong.

    What has not changed stays the version it is; what has is a new version, as a draft.
    """
    existing = _existing_versions(documents)
    checked = validate([file for file in documents if file.name not in existing], purposes, topics)
    try:
        published = publish(purposes=purposes, notices=notices, topics=topics, now=now)
    except NoticeChanged as error:
        words = f"the words of {error} were published already; give them a version of their own"
        raise InvalidAutomations([FileProblem("purposes.toml", "notice", words)]) from None
    changes = [_store_version(file, document, by) for file, document in checked]
    return LoadSummary(tuple(sorted([*existing.values(), *changes])), published)


def _existing_versions(documents: Sequence[AutomationFile]) -> dict[str, VersionChange]:
    """Find what is a version already, by file. It was looked at when it became one."""
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
        # Such as a number with a point; checking says where.
        return ""


def validate(
    documents: Sequence[AutomationFile],
    purposes: Sequence[PurposeText] = (),
    topics: Sequence[TopicText] = (),
) -> list[tuple[AutomationFile, Document]]:
    """Return the automations as they are valid, or raise InvalidAutomations; nothing is written."""
    allowed = AllowedReferences(
        purposes=dict(Purpose.objects.values_list("key", "kind"))
        | {purpose.key: purpose.kind for purpose in purposes},
        topics={*Topic.objects.values_list("key", flat=True), *(topic.key for topic in topics)},
        channels=CHANNELS,
    )
    checked = [
        (file, *validation.validate_file(file.name, file.content, allowed)) for file in documents
    ]
    valid = [(file, document) for file, document, _ in checked if document]
    problems = [problem for _, _, problems in checked for problem in problems]
    problems += _unknown_audiences(valid)
    if problems:
        raise InvalidAutomations(problems)
    return valid


def _unknown_audiences(valid: Sequence[tuple[AutomationFile, Document]]) -> Iterable[FileProblem]:
    """Find automations that are spoken of and that nobody knows."""
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


def _store_version(file: AutomationFile, document: Document, by: Operator) -> VersionChange:
    digest = _digest(file)
    Automation.objects.get_or_create(key=document.key)
    # Two who load at once number one after the other.
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
    automation: Automation, digest: str, document: Document
) -> AutomationVersion | None:
    """Return the version that was loaded from this file, or whose document says the same.

    A migration may have renamed something in a stored document: then the digests differ.
    """
    return (
        automation.versions.filter(digest=digest).first()
        or automation.versions.filter(document=msgspec.to_builtins(document)).first()
    )


def _event_names(document: Document) -> list[str]:
    trigger = document.trigger
    return [trigger.event] if isinstance(trigger, OnEvent | OnAbsence) else []


def _awaited_names(document: Document) -> list[str]:
    steps = (step for _, step in steps_with_paths(document.steps))
    names = {step.event for step in steps if isinstance(step, WaitForStep)}
    if isinstance(document.trigger, OnAbsence):
        names.add(document.trigger.absent)
    return sorted(names)


# From draft to live --------------------------------------------------------------------


@transaction.atomic
def approve(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Say that a draft may be used. Raises InvalidTransition for anything else, and for its own author.

    Two logins are two people, whatever they are called; who has none answers for nothing.
    """
    locked = _lock(version)
    if locked.status != AutomationVersion.Status.DRAFT:
        raise InvalidTransition(f"It is {locked.status} already.")
    if by.login is None:
        raise InvalidTransition("Who approves it has a login of their own.")
    if by.login == locked.loaded_by_login:
        raise InvalidTransition("Somebody else than who wrote it approves it.")
    locked.status, locked.approved_at = AutomationVersion.Status.APPROVED, now
    locked.approved_by, locked.approved_by_login = by.name, by.login
    locked.save(update_fields=["status", "approved_at", "approved_by", "approved_by_login"])
    return locked


@transaction.atomic
def go_live(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Use this version from now on, in place of the one in use.

    Runs that began with another version end with that one. An older version that was live
    before can be taken back into use. Raises InvalidTransition for what nobody approved.
    """
    locked = _lock(version)
    if locked.status == AutomationVersion.Status.LIVE:
        raise InvalidTransition("It is live already.")
    if not locked.approved_at:
        raise InvalidTransition("Nobody approved it.")
    others = AutomationVersion.objects.filter(automation=locked.automation_id, status__in=_IN_USE)
    others.exclude(pk=locked.pk).update(status=AutomationVersion.Status.RETIRED)
    # Every process looks for new versions within this time: all begin at the same event.
    settled = timedelta(seconds=settings.BUTLER_ACTIVATION_SECONDS)
    locked.status, locked.live_at = AutomationVersion.Status.LIVE, now + settled
    locked.save(update_fields=["status", "live_at"])
    return locked


@transaction.atomic
def pause(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Start no new runs; what has begun goes on. To stop that as well there is the switch."""
    locked = _lock(version)
    if locked.status != AutomationVersion.Status.LIVE:
        raise InvalidTransition("Only what is live can be paused.")
    locked.status = AutomationVersion.Status.PAUSED
    locked.save(update_fields=["status"])
    return locked


@transaction.atomic
def resume(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Go on where it was paused; what happened meanwhile starts nothing."""
    if _lock(version).status != AutomationVersion.Status.PAUSED:
        raise InvalidTransition("It is not paused.")
    return go_live(version, by, now)


@transaction.atomic
def retire(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Use it no more. It stays readable: customers can ask why for as long as they like."""
    locked = _lock(version)
    if locked.status == AutomationVersion.Status.RETIRED:
        raise InvalidTransition("It is retired already.")
    locked.status = AutomationVersion.Status.RETIRED
    locked.save(update_fields=["status"])
    return locked


def _lock(version: AutomationVersion) -> AutomationVersion:
    # The automation, not the version: which of its versions is in use is one question.
    Automation.objects.select_for_update().get(pk=version.automation_id)
    return AutomationVersion.objects.get(pk=version.pk)


# The switch ----------------------------------------------------------------------------


def engage_switch(*, key: str, by: str, reason: str, now: datetime) -> int:
    """Stop an automation, or all of them ("*"); return how many messages were withdrawn.

    Every claim after the commit of the row obeys the switch. Then queued messages are withdrawn,
    and unread messages in the inbox. Engaged again, it withdraws the messages that came since.
    """
    if key != EVERYTHING and not Automation.objects.filter(key=key).exists():
        raise InvalidTransition(f"There is no automation {key}.")
    switch = PauseSwitch(key=key, engaged_at=now, engaged_by=by, reason=reason[:200])
    PauseSwitch.objects.bulk_create([switch], ignore_conflicts=True)
    count, after = 0, UUID(int=0)
    while messages := _find_withdrawable(key, after, now):
        count, after = count + _withdraw(messages, now), messages[-1][0]
    return count


def _find_withdrawable(key: str, after: UUID, now: datetime) -> list[tuple[UUID, UUID]]:
    params = {"key": key, "after": after, "limit": _WITHDRAWAL_BATCH, "now": now}
    return sql.rows("find_withdrawable", params)


@transaction.atomic
def _withdraw(messages: Sequence[tuple[UUID, UUID]], now: datetime) -> int:
    """Withdraw messages, and append an event to the log of each customer who could see one."""
    # Customers are locked before messages, as by every writer of outcomes.
    customer_ids = {customer_id for _, customer_id in messages}
    customers_sql.run("lock_records", {"ids": sorted(customer_ids)})
    params = {"ids": [message_id for message_id, _ in messages], "now": now}
    withdrawn = sql.rows("withdraw_messages", params)
    events = [
        log.InternalEvent(
            customer_id,
            "message",
            "Message Withdrawn",
            {"message": str(message_id), "channel": "inbox"},
            now,
            about=f"message:{message_id}",
        )
        for message_id, customer_id, was_visible in withdrawn
        if was_visible and customer_id in customer_ids
    ]
    if events:
        log.append_internal_events(events, actor="", now=now)
    return len(withdrawn)


@transaction.atomic
def release_switch(*, key: str, by: str, now: datetime) -> bool:
    """Release a switch; return whether it was engaged. Withdrawn messages stay withdrawn."""
    engaged = PauseSwitch.objects.filter(key=key, released_at=None)
    is_released = bool(engaged.update(released_at=now, released_by=by))
    notify.after_commit("butler.tick")
    return is_released
