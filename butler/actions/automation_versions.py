"""Changes the status of a version of an automation: approved, live, paused, retired.

The document of a version never changes. Only its status and its approver change.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from butler.models import Automation, AutomationVersion

_IN_USE = (AutomationVersion.Status.LIVE, AutomationVersion.Status.PAUSED)


class Operator(NamedTuple):
    """The staff member or program that loads, approves or activates a version."""

    name: str
    # The id of the user account, because names can change and are not unique. None: a program.
    login: int | None = None


class InvalidTransition(Exception):
    """The status of the version, or the operator, does not permit this transition."""


@transaction.atomic
def approve(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Approve a draft and return the version.

    Raises InvalidTransition if the version is not a draft, or if the operator has no login or
    is its author. Authors are compared by login, not by name.
    """
    locked = _lock(version)
    if locked.status != AutomationVersion.Status.DRAFT:
        raise InvalidTransition(f"The version is already {locked.status}.")
    if by.login is None:
        raise InvalidTransition("Only a staff member with a login can approve a version.")
    if by.login == locked.loaded_by_login:
        raise InvalidTransition("The author of a version cannot approve it.")
    locked.status, locked.approved_at = AutomationVersion.Status.APPROVED, now
    locked.approved_by, locked.approved_by_login = by.name, by.login
    locked.save(update_fields=["status", "approved_at", "approved_by", "approved_by_login"])
    return locked


@transaction.atomic
def go_live(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Make this version live, retire the version in use, and return this version.

    Runs that began with another version end with that version. A retired version can go live
    again. Raises InvalidTransition if the version is not approved or is already live.
    """
    locked = _lock(version)
    if locked.status == AutomationVersion.Status.LIVE:
        raise InvalidTransition("The version is already live.")
    if not locked.approved_at:
        raise InvalidTransition("The version is not approved.")
    others = AutomationVersion.objects.filter(automation=locked.automation_id, status__in=_IN_USE)
    others.exclude(pk=locked.pk).update(status=AutomationVersion.Status.RETIRED)
    # Each process reads new versions within this time, so all of them start at the same event.
    activation_delay = timedelta(seconds=settings.BUTLER_ACTIVATION_SECONDS)
    locked.status, locked.live_at = AutomationVersion.Status.LIVE, now + activation_delay
    locked.save(update_fields=["status", "live_at"])
    return locked


@transaction.atomic
def pause(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Pause a live version: it starts no new runs. A pause switch also stops its open runs."""
    locked = _lock(version)
    if locked.status != AutomationVersion.Status.LIVE:
        raise InvalidTransition("Only a live version can be paused.")
    locked.status = AutomationVersion.Status.PAUSED
    locked.save(update_fields=["status"])
    return locked


@transaction.atomic
def resume(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Make a paused version live again. Events during the pause start no runs."""
    if _lock(version).status != AutomationVersion.Status.PAUSED:
        raise InvalidTransition("The version is not paused.")
    return go_live(version, by, now)


@transaction.atomic
def retire(version: AutomationVersion, by: Operator, now: datetime) -> AutomationVersion:
    """Retire a version. Its row stays, so that customers can still read why they got a message."""
    locked = _lock(version)
    if locked.status == AutomationVersion.Status.RETIRED:
        raise InvalidTransition("The version is already retired.")
    locked.status = AutomationVersion.Status.RETIRED
    locked.save(update_fields=["status"])
    return locked


def _lock(version: AutomationVersion) -> AutomationVersion:
    # The lock is on the automation, because only one of its versions may be in use.
    Automation.objects.select_for_update().get(pk=version.automation_id)
    return AutomationVersion.objects.get(pk=version.pk)
