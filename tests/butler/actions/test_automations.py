import threading
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pgtrigger
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from uuid_utils.compat import uuid7

from butler.actions import automations
from butler.actions.automations import InvalidTransition, Operator
from butler.automations.loader import InvalidAutomations
from butler.models import Automation, AutomationVersion, Due, Message, PauseSwitch
from customers.models import Event, Notice, Purpose, Topic
from tests import factories
from tests.butler.automation_files import PURPOSES, TOPICS, file

NOW = datetime(2027, 4, 16, 7, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LIN, SAM = Operator("Lin", 1), Operator("Sam", 2)

pytestmark = pytest.mark.django_db


def load(*files, by=LIN):
    return automations.load(files or (file(),), PURPOSES, TOPICS, now=NOW, by=by)


def migrate(name):
    """Run the statements of a migration; butler_due.job was called duty then."""
    operations = import_module(f"butler.migrations.{name}").Migration.operations
    with connection.cursor() as cursor:
        for operation in operations:
            cursor.execute(operation.sql.replace("duty", "job"))


def newest(key="visit-reminder"):
    return AutomationVersion.objects.filter(automation=key).latest("number")


def live(key="visit-reminder"):
    load()
    return automations.go_live(automations.approve(newest(key), SAM, NOW), SAM, NOW)


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


def test_the_same_content_is_the_same_version():
    load()
    reordered = file()
    backwards = dict(reversed(reordered.content.items()))

    again = load(reordered._replace(content=backwards))

    assert again.changes == (("visit-reminder", 1, "same", "draft"),)
    assert AutomationVersion.objects.count() == 1


def test_changed_content_is_a_new_draft_beside_the_live_version():
    first = live()

    changed = load(file({"priority": 3}))

    assert changed.changes == (("visit-reminder", 2, "changed", "draft"),)
    first.refresh_from_db()
    assert first.status == "live"


def test_folder_with_faults_loads_nothing_and_reports_every_fault():
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


def test_migration_renames_what_a_waiting_run_remembers():
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


def test_words_that_were_agreed_to_are_not_changed_under_their_version():
    from customers.actions.notices import NoticeText

    def offer(words):
        notice = NoticeText("offers", 1, {"en": words})
        return automations.load([file()], PURPOSES, TOPICS, notices=[notice], now=NOW, by=LIN)

    assert offer("May we?").notices == 1
    assert offer("May we?").notices == 0
    with pytest.raises(InvalidAutomations, match="version of their own"):
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


def test_a_draft_goes_live_once_somebody_else_approved_it():
    load(by=LIN)
    with pytest.raises(InvalidTransition, match="Nobody approved"):
        automations.go_live(newest(), LIN, NOW)
    with pytest.raises(InvalidTransition, match="Somebody else"):
        automations.approve(newest(), LIN, NOW)

    approved = automations.approve(newest(), SAM, NOW)
    live_version = automations.go_live(approved, LIN, LATER)

    assert (live_version.status, live_version.approved_by, live_version.approved_at) == (
        "live",
        "Sam",
        NOW,
    )
    assert live_version.live_at == LATER
    with pytest.raises(InvalidTransition):
        automations.approve(live_version, SAM, NOW)
    with pytest.raises(InvalidTransition):
        automations.go_live(live_version, SAM, NOW)


def test_going_live_waits_until_every_process_looks(settings):
    settings.BUTLER_ACTIVATION_SECONDS = 3

    assert live().live_at == NOW + timedelta(seconds=3)


def test_a_new_version_takes_the_place_of_the_one_in_use_and_can_give_it_back():
    first = live()
    load(file({"priority": 3}))

    second = automations.go_live(automations.approve(newest(), SAM, NOW), SAM, NOW)

    first.refresh_from_db()
    assert (first.status, second.status) == ("retired", "live")
    automations.go_live(first, "sam", LATER)
    second.refresh_from_db()
    assert (newest().status, AutomationVersion.objects.get(number=1).status) == ("retired", "live")


def test_paused_and_resumed_it_counts_from_the_resumption():
    version = automations.pause(live(), SAM, NOW)
    with pytest.raises(InvalidTransition):
        automations.pause(version, SAM, NOW)

    resumed = automations.resume(version, "sam", LATER)

    assert (resumed.status, resumed.live_at) == ("live", LATER)
    with pytest.raises(InvalidTransition):
        automations.resume(resumed, SAM, NOW)


def test_a_retired_version_is_used_no_more():
    retired = automations.retire(live(), SAM, NOW)

    assert retired.status == "retired"
    with pytest.raises(InvalidTransition):
        automations.retire(retired, SAM, NOW)


def test_a_version_is_never_rewritten_or_deleted_not_even_by_hand():
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


def message(automation="visit-reminder", channel="email", state="queued", **fields):
    return Message.objects.create(
        id=uuid7(),
        key=str(uuid7()),
        customer_id=factories.customer().id,
        automation_id=automation,
        channel=channel,
        message_class="service",
        topic="visits",
        occurred_at=NOW,
        not_before=NOW,
        created_at=NOW,
        state_at=NOW,
        state=state,
        **{"expires_at": NOW + timedelta(days=1), **fields},
    )


def test_the_switch_takes_back_what_waits_and_what_is_in_the_app_unread():
    live()
    withdrawn_messages = [
        message(),
        message(channel="inbox"),
        message(channel="inbox", state="accepted"),
        message(channel="inbox", state="delivered"),
    ]
    untouched_messages = [
        message(state="accepted"),
        message(state="sending"),
        message(channel="inbox", state="accepted", read_at=NOW),
        message(channel="inbox", state="accepted", expires_at=NOW),
        message("other"),
        message(""),
    ]
    before = {untouched.pk: untouched.state for untouched in untouched_messages}

    count = automations.engage_switch(key="visit-reminder", by=LIN, reason="a wrong date", now=NOW)

    assert count == 4
    states = dict(Message.objects.values_list("pk", "state"))
    assert {states[withdrawn.pk] for withdrawn in withdrawn_messages} == {"withdrawn"}
    assert {pk: states[pk] for pk in before} == before
    assert set(Message.objects.filter(state="withdrawn").values_list("reason", flat=True)) == {
        "halted"
    }
    # Whoever has the page open sees it go.
    withdrawn_abouts = Event.objects.filter(name="Message Withdrawn").values_list(
        "about", flat=True
    )
    assert set(withdrawn_abouts) == {
        f"message:{withdrawn.pk}" for withdrawn in withdrawn_messages[2:]
    }


def test_stop_switch_withdraws_all_automated_messages_but_not_written_ones(monkeypatch):
    monkeypatch.setattr(automations, "_WITHDRAWAL_BATCH", 2)
    automated_messages = [message("a"), message("b"), message("c"), message("d"), message("e")]
    written = message("")

    assert automations.engage_switch(key="*", by=LIN, reason="", now=NOW) == len(automated_messages)

    written.refresh_from_db()
    assert written.state == "queued"


def test_a_switch_stands_once_until_it_is_lifted_and_can_be_thrown_again():
    live()
    for _ in range(2):
        automations.engage_switch(key="visit-reminder", by=LIN, reason="a wrong date", now=NOW)
    assert PauseSwitch.objects.filter(released_at=None).count() == 1

    assert automations.release_switch(key="visit-reminder", by="sam", now=LATER)
    assert not automations.release_switch(key="visit-reminder", by="sam", now=LATER)
    automations.engage_switch(key="visit-reminder", by=LIN, reason="again", now=LATER)

    assert PauseSwitch.objects.count() == 2
    assert PauseSwitch.objects.exclude(released_at=None).get().released_by == "sam"


def test_stop_of_an_unknown_automation_is_refused():
    with pytest.raises(InvalidTransition):
        automations.engage_switch(key="nothing", by=LIN, reason="", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_who_load_at_once_make_two_versions_and_no_third():
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
