"""Automations that are loaded from files, for the tests of their versions and switches."""

from datetime import UTC, datetime, timedelta

from butler.actions import automation_versions, automations
from butler.actions.automation_versions import Operator
from butler.models import AutomationVersion
from tests.butler.automation_files import PURPOSES, TOPICS, file

NOW = datetime(2027, 4, 16, 7, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LIN, SAM = Operator("Lin", 1), Operator("Sam", 2)


def load(*files, by=LIN):
    return automations.load(files or (file(),), PURPOSES, TOPICS, now=NOW, by=by)


def newest(key="visit-reminder"):
    return AutomationVersion.objects.filter(automation=key).latest("number")


def live(key="visit-reminder"):
    load()
    return automation_versions.go_live(automation_versions.approve(newest(key), SAM, NOW), SAM, NOW)
