"""The life of a version of an automation: approved, live, paused, retired.

A version is written once. Its status changes, and so does who approved it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from butler.models import Automation, AutomationVersion

_IN_USE = (AutomationVersion.Status.LIVE, AutomationVersion.Status.PAUSED)


class Operator(NamedTuple):
    """Who loads, approves or activates a version."""

    name: str
    # Names change and are not unique; a login belongs to one person. None: not signed in.
    login: int | None = None


class InvalidTransition(Exception):
    """The version cannot go from its status to this one, or not by this operator."""


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
