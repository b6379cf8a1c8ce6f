from datetime import timedelta

import pytest

from butler.due.tick import tick
from butler.models import Decision, Message, StaffTask
from tests import factories
from tests.butler.live_automations import (
    CART,
    HOUR,
    NOOR,
    SAY,
    SOON,
    automation,
    codes,
    due_of,
    run,
    say,
    start_run,
)
from tests.customers import consent_helpers
from tests.factories import NOON, identify, incoming_event, order, record

pytestmark = pytest.mark.django_db


# Steps ---------------------------------------------------------------------------------


def test_wait_step_waits_for_its_length():
    start_run([SAY, {"kind": "wait", "length": "2h"}, SAY], expires="1h")

    tick(now=SOON)
    assert run().step == "2"
    tick(now=SOON + 2 * HOUR - timedelta(seconds=1))
    assert Message.objects.count() == 1
    tick(now=SOON + 2 * HOUR + timedelta(seconds=1))

    # The cause of a message after a wait is the end of the wait, so the message is not late.
    assert Message.objects.count() == 2
    assert Message.objects.order_by("created_at")[1].occurred_at >= NOON + 2 * HOUR
    assert run().status == "completed"


def test_wait_step_waits_until_the_customers_local_time():
    automation(steps=[{"kind": "wait", "until": "09:00"}, SAY])
    record(
        identify(NOOR, name="Noor", timezone="America/New_York"),
        order("A-1", NOOR, visit_date="2026-11-22"),
    )

    tick(now=SOON)

    # Nine o'clock in New York is two in the afternoon in Greenwich.
    assert due_of(run()).due_at == NOON.replace(hour=14)


def test_a_wait_at_the_very_end_ends_the_run():
    start_run([SAY, {"kind": "wait", "length": "2h"}])

    tick(now=SOON)

    assert run().status == "completed"


WAIT_FOR = {
    "kind": "wait_for",
    "event": "Ticket Scanned",
    "within": "3h",
    "then": [say(channels=["inbox"])],
    "otherwise": [say(channels=["email"])],
}


def test_awaited_event_arrives():
    start_run([WAIT_FOR])
    tick(now=SOON)
    assert run().awaited == "Ticket Scanned"

    record(incoming_event(NOOR, name="Ticket Scanned", at=NOON + HOUR))
    tick(now=NOON + HOUR + timedelta(seconds=2))

    assert run().status == "completed"
    assert Message.objects.get().channel == "inbox"


def test_awaited_event_does_not_arrive():
    start_run([WAIT_FOR])
    tick(now=SOON)

    tick(now=NOON + HOUR)
    assert due_of(run()).due_at - (SOON + 3 * HOUR) < timedelta(seconds=1)
    tick(now=SOON + 4 * HOUR)

    assert run().status == "completed"
    assert Message.objects.get().channel == "email"


def test_event_stored_before_the_run_waits_is_found_on_the_log():
    """The event is on the log, but found nobody waiting: the look a moment later finds it."""
    start_run([WAIT_FOR])
    record(incoming_event(NOOR, name="Ticket Scanned", at=NOON + timedelta(seconds=1)))

    tick(now=SOON)
    tick(now=SOON + timedelta(seconds=3))

    assert Message.objects.get().channel == "inbox"


def test_second_wait_needs_another_event():
    start_run([WAIT_FOR | {"then": [WAIT_FOR | {"within": "1h"}, SAY]}])
    tick(now=SOON)
    record(incoming_event(NOOR, name="Ticket Scanned", at=NOON + HOUR))

    tick(now=NOON + 2 * HOUR)

    assert run().step == "0.then.0"


def test_branch_follows_its_condition():
    branch = {
        "kind": "branch",
        "when": "order.total == '80.00'",
        "then": [say(channels=["inbox"])],
        "otherwise": [say(channels=["email"])],
    }
    start_run(
        [branch, {"kind": "branch", "when": "order.total == '1.00'"}, say(channels=["email"])]
    )

    tick(now=SOON)

    places = dict(Message.objects.values_list("channel", "step"))
    assert places == {"inbox": "0.then.0", "email": "2"}


NEXT = {"kind": "next_channel", "within": "2h", "channels": ["inbox", "email"]}


def test_unseen_message_is_repeated_through_the_next_channel():
    start_run([SAY, NEXT])
    tick(now=SOON)
    assert [m.channel for m in Message.objects.all()] == ["inbox"]

    tick(now=SOON + 3 * HOUR)

    second = Message.objects.get(channel="email")
    assert second.step == "0"
    assert run().status == "completed"


def test_seen_message_is_not_repeated():
    start_run([SAY, NEXT])
    tick(now=SOON)
    Message.objects.update(seen_at=NOON + HOUR)

    tick(now=SOON + 2 * HOUR)

    assert Message.objects.count() == 1
    assert run().status == "completed"


def test_unsent_message_is_not_repeated():
    start_run([say(channels=["sms"]), NEXT])

    tick(now=SOON)

    assert not Message.objects.exists()
    assert run().status == "completed"


def test_task_step_creates_a_staff_task():
    start_run([{"kind": "task", "title": "Call {{ customer.first_name }}", "within": "30m"}])

    tick(now=SOON)

    task = StaffTask.objects.get()
    assert task.title == "Call Noor"
    assert task.due_at - SOON < timedelta(minutes=31)
    assert task.customer_id == run().customer_id
    assert codes() == [("person", "handover")]


def test_customer_who_prefers_a_person_gets_a_task_with_the_text():
    consent_helpers.house()
    noor = factories.customer(NOOR, name="Noor", language="nl")
    consent_helpers.say(
        noor.id, consent_helpers.give("surveys"), consent_helpers.prefer("person_first", value=True)
    )
    automation(**{"class": "relationship", "purpose": "surveys", "relation": ""})
    record(order("A-1", NOOR, at=NOON + HOUR))

    tick(now=NOON + HOUR + timedelta(seconds=2))

    task = StaffTask.objects.get()
    assert task.title == "Dag Noor"
    assert task.body == "Tot gauw."
    assert codes() == [("person", "person_first")]
    assert not Message.objects.exists()


# Absence -------------------------------------------------------------------------------


def abandoned():
    automation("cart", trigger=CART, relation="", **{"class": "service"}, expires="2h")
    record(identify(NOOR, name="Noor"), incoming_event(NOOR, name="Checkout Started"))


def test_absent_event_starts_the_steps():
    abandoned()

    tick(now=NOON + HOUR - timedelta(seconds=1))
    assert not Decision.objects.exists()
    tick(now=NOON + HOUR)

    decision = Decision.objects.get()
    # It was judged, and a service message needs a relation.
    assert (decision.outcome, decision.code) == ("skip", "no_relation")
    assert run().status == "completed"


def test_awaited_event_stored_before_the_cause_ends_the_run():
    """The shop's batch comes first: the order is on the log before the checkout is."""
    automation("cart", trigger=CART, relation="", expires="2h")
    record(order("A-1", NOOR, at=NOON + HOUR / 2), at=NOON + HOUR / 2)
    record(incoming_event(NOOR, name="Checkout Started"), at=NOON + 0.6 * HOUR)

    tick(now=NOON + HOUR)

    assert codes() == [("skip", "cancelled_by_event")]
    assert run().status == "cancelled"
