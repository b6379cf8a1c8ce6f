"""Pause switches, and the messages that they withdraw."""

from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from butler.actions import pause_switches
from butler.actions.pause_switches import UnknownAutomation
from butler.models import Message, PauseSwitch
from customers.models import Event
from tests import factories
from tests.butler.loaded_automations import LATER, LIN, NOW, live

pytestmark = pytest.mark.django_db


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


def test_switch_withdraws_queued_and_unread_inbox_messages():
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

    count = pause_switches.engage_switch(
        key="visit-reminder", by=LIN, reason="a wrong date", now=NOW
    )

    assert count == 4
    states = dict(Message.objects.values_list("pk", "state"))
    assert {states[withdrawn.pk] for withdrawn in withdrawn_messages} == {"withdrawn"}
    assert {pk: states[pk] for pk in before} == before
    assert set(Message.objects.filter(state="withdrawn").values_list("reason", flat=True)) == {
        "pause_switch"
    }
    # An event on the log removes the message from an open page.
    withdrawn_abouts = Event.objects.filter(name="Message Withdrawn").values_list(
        "about", flat=True
    )
    assert set(withdrawn_abouts) == {
        f"message:{withdrawn.pk}" for withdrawn in withdrawn_messages[2:]
    }


def test_stop_switch_withdraws_all_automated_messages_but_not_written_ones(monkeypatch):
    monkeypatch.setattr(pause_switches, "_WITHDRAWAL_BATCH", 2)
    automated_messages = [message("a"), message("b"), message("c"), message("d"), message("e")]
    written = message("")

    assert pause_switches.engage_switch(key="*", by=LIN, reason="", now=NOW) == len(
        automated_messages
    )

    written.refresh_from_db()
    assert written.state == "queued"


def test_switch_is_engaged_once_and_can_be_engaged_again_after_release():
    live()
    for _ in range(2):
        pause_switches.engage_switch(key="visit-reminder", by=LIN, reason="a wrong date", now=NOW)
    assert PauseSwitch.objects.filter(released_at=None).count() == 1

    assert pause_switches.release_switch(key="visit-reminder", by="sam", now=LATER)
    assert not pause_switches.release_switch(key="visit-reminder", by="sam", now=LATER)
    pause_switches.engage_switch(key="visit-reminder", by=LIN, reason="again", now=LATER)

    assert PauseSwitch.objects.count() == 2
    assert PauseSwitch.objects.exclude(released_at=None).get().released_by == "sam"


def test_stop_of_an_unknown_automation_is_refused():
    with pytest.raises(UnknownAutomation):
        pause_switches.engage_switch(key="nothing", by=LIN, reason="", now=NOW)
