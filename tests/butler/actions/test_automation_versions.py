"""The life of a version, from its approval to its end."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from butler.actions import automation_versions
from butler.actions.automation_versions import InvalidTransition
from butler.models import AutomationVersion
from tests.butler.automation_files import file
from tests.butler.loaded_automations import LATER, LIN, NOW, SAM, live, load, newest

pytestmark = pytest.mark.django_db


def test_draft_goes_live_after_approval_by_another_login():
    load(by=LIN)
    with pytest.raises(InvalidTransition, match="is not approved"):
        automation_versions.go_live(newest(), LIN, NOW)
    with pytest.raises(InvalidTransition, match="author of a version cannot approve"):
        automation_versions.approve(newest(), LIN, NOW)

    approved = automation_versions.approve(newest(), SAM, NOW)
    live_version = automation_versions.go_live(approved, LIN, LATER)

    assert (live_version.status, live_version.approved_by, live_version.approved_at) == (
        "live",
        "Sam",
        NOW,
    )
    assert live_version.live_at == LATER
    with pytest.raises(InvalidTransition):
        automation_versions.approve(live_version, SAM, NOW)
    with pytest.raises(InvalidTransition):
        automation_versions.go_live(live_version, SAM, NOW)


def test_live_version_starts_runs_after_the_activation_time(settings):
    settings.BUTLER_ACTIVATION_SECONDS = 3

    assert live().live_at == NOW + timedelta(seconds=3)


def test_new_version_retires_the_live_one_which_can_go_live_again():
    first = live()
    load(file({"priority": 3}))

    second = automation_versions.go_live(automation_versions.approve(newest(), SAM, NOW), SAM, NOW)

    first.refresh_from_db()
    assert (first.status, second.status) == ("retired", "live")
    automation_versions.go_live(first, "sam", LATER)
    second.refresh_from_db()
    assert (newest().status, AutomationVersion.objects.get(number=1).status) == ("retired", "live")


def test_resumed_version_counts_events_from_the_resumption():
    version = automation_versions.pause(live(), SAM, NOW)
    with pytest.raises(InvalidTransition):
        automation_versions.pause(version, SAM, NOW)

    resumed = automation_versions.resume(version, "sam", LATER)

    assert (resumed.status, resumed.live_at) == ("live", LATER)
    with pytest.raises(InvalidTransition):
        automation_versions.resume(resumed, SAM, NOW)


def test_retired_version_cannot_be_retired_again():
    retired = automation_versions.retire(live(), SAM, NOW)

    assert retired.status == "retired"
    with pytest.raises(InvalidTransition):
        automation_versions.retire(retired, SAM, NOW)


def test_database_refuses_to_change_or_delete_a_version():
    version = live()

    for change in (
        "document = '{}'",
        "digest = 'x'",
        "event_names = '{Other}'",
        "awaited_names = '{Other}'",
        "number = 9",
    ):
        with (
            pytest.raises(DatabaseError, match="Cannot"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE butler_automationversion SET {change}")
    with pytest.raises(DatabaseError), transaction.atomic():
        version.delete()
