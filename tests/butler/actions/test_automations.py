import threading
from importlib import import_module

import pgtrigger
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from butler.actions import automations
from butler.automations.loader import InvalidAutomations
from butler.models import Automation, AutomationVersion, Due
from customers.models import Notice, Purpose, Topic
from tests.butler.automation_files import PURPOSES, TOPICS, file
from tests.butler.loaded_automations import LIN, NOW, live, load, newest

pytestmark = pytest.mark.django_db


def migrate(name):
    """Run the statements of a migration; butler_due.job was called duty then."""
    operations = import_module(f"butler.migrations.{name}").Migration.operations
    with connection.cursor() as cursor:
        for operation in operations:
            cursor.execute(operation.sql.replace("duty", "job"))


def test_a_loaded_automation_is_a_draft_with_purposes_and_topics_beside_it():
    loaded = load()

    version = newest()
    assert loaded.changes == (("visit-reminder", 1, "new", "draft"),)
    assert (version.status, version.trigger, version.event_names) == (
        "draft",
        "event",
        ["Order Completed"],
    )
    assert version.loaded_by == "Lin"
    assert Purpose.objects.filter(key="offers").exists()
    assert Topic.objects.filter(key="visits").exists()


def test_unchanged_file_keeps_its_version():
    load()
    reordered = file()
    backwards = dict(reversed(reordered.content.items()))

    again = load(reordered._replace(content=backwards))

    assert again.changes == (("visit-reminder", 1, "same", "draft"),)
    assert AutomationVersion.objects.count() == 1


def test_changed_file_becomes_a_draft_and_the_live_version_stays():
    first = live()

    changed = load(file({"priority": 3}))

    assert changed.changes == (("visit-reminder", 2, "changed", "draft"),)
    first.refresh_from_db()
    assert first.status == "live"


def test_folder_with_problems_is_not_loaded_and_all_problems_are_reported():
    with pytest.raises(InvalidAutomations) as faulty:
        load(
            file(),
            file({"key": "second", "topic": "weather"}),
            file({"key": "third", "expires": "soon"}),
        )

    assert {(fault.file, fault.field) for fault in faulty.value.problems} == {
        ("second.toml", "topic"),
        ("third.toml", "expires"),
    }
    assert not Automation.objects.exists()
    assert not Purpose.objects.filter(key="offers").exists()


REOPENED = {
    "key": "reopened",
    "trigger": {
        "kind": "topic",
        "topic": "ride:*",
        "status": "open",
        "audience": "notified:visit-reminder",
    },
    "relation": "visit",
}


def test_audience_of_an_unknown_automation_is_refused():
    with pytest.raises(InvalidAutomations, match="no automation visit-reminder"):
        load(file(REOPENED))

    load(file(), file(REOPENED))
    assert load(file(REOPENED)).changes[0].kind == "same"


def test_migration_renames_the_audience_and_the_new_file_stays_the_version_it_is():
    load(file(), file(REOPENED))
    version = newest("reopened")
    old_document = version.document
    old_document["trigger"]["audience"] = "told:visit-reminder"
    with pgtrigger.ignore("butler.AutomationVersion:automation_version_is_never_rewritten"):
        AutomationVersion.objects.filter(pk=version.pk).update(document=old_document, digest="old")
    parameters = {"version": version.pk, "audience": "told:visit-reminder"}
    fan_out = Due.objects.create(job="fan_out", key="1:ride", facts=parameters, due_at=NOW)

    migrate("0016_notified_audiences")

    version.refresh_from_db()
    fan_out.refresh_from_db()
    assert version.document["trigger"]["audience"] == "notified:visit-reminder"
    assert fan_out.facts == {"version": version.pk, "audience": "notified:visit-reminder"}
    assert load(file(REOPENED)).changes == (("reopened", 1, "same", "draft"),)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        AutomationVersion.objects.update(digest="changed")


def test_migration_renames_the_memory_of_a_waiting_run():
    memory = {"entered": "1", "left": ["email"], "said": "0", "through": ["sms"]}
    due = Due.objects.create(job="run", key="1", facts=memory, due_at=NOW)

    migrate("0016_notified_audiences")

    due.refresh_from_db()
    assert due.facts == {
        "entered": "1",
        "pending_channels": ["email"],
        "last_message_step": "0",
        "used_channels": ["sms"],
    }


def test_changed_notice_under_a_published_version_is_refused():
    from customers.actions.notices import NoticeText

    def offer(words):
        notice = NoticeText("offers", 1, {"en": words})
        return automations.load([file()], PURPOSES, TOPICS, notices=[notice], now=NOW, by=LIN)

    assert offer("May we?").notices == 1
    assert offer("May we?").notices == 0
    with pytest.raises(InvalidAutomations, match="give the changed text a new version"):
        offer("May we, please?")
    assert Notice.objects.get().text == "May we?"


def test_version_row_stores_trigger_and_awaited_event_names():
    waits = {
        "trigger": {
            "kind": "absence",
            "event": "Checkout Started",
            "absent": "Order Completed",
            "within": "1h",
        },
        "steps.0": {
            "kind": "wait_for",
            "event": "Ticket Scanned",
            "within": "2h",
            "then": [
                {
                    "kind": "wait_for",
                    "event": "Left",
                    "within": "1h",
                    "otherwise": [{"kind": "task", "title": "Look"}],
                }
            ],
        },
    }

    load(file(waits))

    assert newest().event_names == ["Checkout Started"]
    assert newest().awaited_names == ["Left", "Order Completed", "Ticket Scanned"]


@pytest.mark.django_db(transaction=True)
def test_two_concurrent_loads_make_two_versions():
    load()
    barrier, results = threading.Barrier(4), []

    def load_with_priority(priority):
        barrier.wait(5)
        results.append(load(file({"priority": priority})).changes[0].number)
        connection.close()

    threads = [
        threading.Thread(target=load_with_priority, args=(priority,)) for priority in (3, 4, 3, 4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(results) == [2, 2, 3, 3]
    assert sorted(AutomationVersion.objects.values_list("number", flat=True)) == [1, 2, 3]
