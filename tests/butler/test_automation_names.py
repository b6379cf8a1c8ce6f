from datetime import UTC, datetime

import pytest

from butler.actions import automation_versions, automations
from butler.models import Automation, AutomationVersion
from butler.queries.automations import names
from tests.butler.automation_files import PURPOSES, TOPICS, file

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 4, 16, 7, tzinfo=UTC)


def _load(name: str, number: int) -> AutomationVersion:
    automations.load(
        [file({"name.en": name, "name.nl": f"{name} (nl)"})],
        PURPOSES,
        TOPICS,
        now=NOW,
        by=automation_versions.Operator("load_automations"),
    )
    return AutomationVersion.objects.get(number=number)


def test_automation_has_the_name_of_its_version_in_use(django_assert_num_queries):
    first = _load("Reminder", 1)
    _load("Another word", 2)
    Automation.objects.create(key="offer")

    assert names("en") == {"offer": "offer", "visit-reminder": "Another word"}
    lin = automation_versions.Operator("Lin", 7)
    automation_versions.approve(first, lin, NOW)
    automation_versions.go_live(first, lin, NOW)

    with django_assert_num_queries(2):
        assert names("nl") == {"offer": "offer", "visit-reminder": "Reminder (nl)"}
    # Of a language that nobody wrote, the key is what is left.
    assert names("fi")["visit-reminder"] == "visit-reminder"
