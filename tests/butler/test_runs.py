from datetime import timedelta

import pytest
from django.db import connection

from butler.actions import runs
from butler.due import jobs, queue
from butler.due.tick import tick
from butler.models import AutomationVersion, Decision, Due, Message, PauseSwitch, Run
from channels import deliveries
from customers.models import Customer
from tests import factories
from tests.butler.live_automations import (
    HOUR,
    NOOR,
    SAY,
    SOON,
    automation,
    codes,
    due_of,
    place_order,
    run,
    say,
    start_run,
)
from tests.customers import consent_helpers
from tests.factories import NOON

pytestmark = pytest.mark.django_db


# Sending a message --------------------------------------------------------------------


def test_run_decides_queues_a_message_and_ends():
    version = start_run([SAY])

    tick(now=SOON)

    message = Message.objects.get()
    assert run().status == "completed"
    assert due_of(run()) is None
    assert (message.channel, message.state, message.step) == ("inbox", "queued", "0")
    assert message.version_id == version.pk
    assert message.relation == "order:A-1"
    assert message.expires_at == NOON + timedelta(days=1)
    # Only the facts that its texts use.
    assert message.facts["customer"] == {"first_name": "Noor", "language": "nl"}
    assert set(message.facts) == {"company", "customer", "now"}


def test_the_decision_stands_beside_the_message_with_every_gate():
    start_run([SAY])

    tick(now=SOON)

    decision = Decision.objects.get()
    assert decision.outcome == "send"
    assert decision.stage == "judge"
    assert decision.message_id == Message.objects.get().id
    assert decision.run_id == run().id
    assert decision.act["channel"] == "inbox"
    assert len(decision.gates) > 4
    assert decision.customer_version == Customer.objects.get(pk=run().customer_id).version


def test_denied_message_is_not_queued_and_its_decision_is_stored():
    start_run([SAY], **{"class": "marketing", "purpose": "offers", "relation": ""})

    tick(now=SOON)

    assert not Message.objects.exists()
    assert run().status == "completed"
    ((outcome, code),) = codes()
    assert outcome == "skip"
    # No purpose of that name exists.
    assert code == "unknown_purpose"


def test_the_first_channel_that_can_is_used_and_the_others_are_explained():
    start_run([say(channels=["sms", "email", "inbox"])])

    tick(now=SOON)

    assert Message.objects.get().channel == "email"
    marks = [gate["inputs"] for gate in Decision.objects.get().gates if gate["gate"] == "channel"]
    assert marks == [{"channel": "sms"}, {"channel": "email"}]


def test_every_option_queues_a_message_for_each_channel():
    start_run([say(channels=["inbox", "sms", "email"], every=True)])

    tick(now=SOON)

    assert set(Message.objects.values_list("channel", flat=True)) == {"inbox", "email"}
    assert sorted(codes())[-1] == ("skip", "no_address")
    assert run().status == "completed"


@pytest.fixture
def midnight():
    """Noor orders when it is quiet at her place."""
    noor = factories.customer(NOOR, name="Noor", timezone="Europe/Amsterdam")
    consent_helpers.say(
        noor.id, consent_helpers.prefer("quiet_hours", {"from": "22:00", "to": "08:00"})
    )
    return NOON + timedelta(hours=11)


def test_message_in_quiet_hours_waits_until_the_morning(midnight):
    automation()
    place_order(at=midnight)

    tick(now=midnight + timedelta(seconds=5))

    assert not Message.objects.exists()
    decision = Decision.objects.get()
    assert decision.outcome == "defer"
    assert due_of(run()).due_at == decision.until == NOON + timedelta(hours=19)
    tick(now=decision.until)
    assert Message.objects.get().state == "queued"
    assert run().status == "completed"


def test_message_in_quiet_hours_can_be_skipped(midnight):
    automation(quiet="skip")
    place_order(at=midnight)

    tick(now=midnight + timedelta(seconds=5))

    assert not Message.objects.exists()
    assert Decision.objects.get().outcome == "skip"
    assert run().status == "completed"


def test_repeated_ticks_queue_each_message_once():
    start_run([SAY])
    due = due_of(run())

    tick(now=SOON)
    # The row comes back, as from a backup: the run has ended, so the row goes away again.
    Due.objects.create(job="run", key=due.key, due_at=NOON)
    tick(now=SOON)

    assert Message.objects.count() == 1
    assert not Due.objects.filter(job="run").exists()


# Whether to go on ----------------------------------------------------------------------


def test_false_condition_cancels_the_run():
    start_run([SAY], condition="order.total == '1.00'")

    tick(now=SOON)

    assert codes() == [("skip", "condition")]
    assert (run().status, run().reason) == ("cancelled", "condition")


def test_true_condition_continues_the_run():
    start_run([SAY], condition="order.status == 'placed'")

    tick(now=SOON)

    assert Message.objects.exists()


@pytest.mark.parametrize("key", ["receipt", "*"])
def test_engaged_switch_cancels_a_waiting_run(key):
    start_run([SAY])
    PauseSwitch.objects.create(key=key, engaged_at=NOON, engaged_by="staff:Lin")

    tick(now=SOON)

    assert codes() == [("skip", "pause_switch")]
    assert run().status == "cancelled"


def test_switch_of_another_automation_cancels_no_run():
    start_run([SAY])
    PauseSwitch.objects.create(key="offer", engaged_at=NOON, engaged_by="staff:Lin")

    tick(now=SOON)

    assert Message.objects.exists()


def test_run_whose_table_was_just_analyzed_goes_on_and_its_message_is_sent():
    start_run([SAY])
    # With statistics of so few rows, Postgres joins all due rows to the run before it looks
    # which of them were claimed; the keys of the others are no ids of runs.
    queue.add_recurring(jobs.RECURRING, now=SOON)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    worked = tick(now=SOON)
    deliveries.deliver("inbox", clock=lambda: SOON + HOUR)

    assert worked.failed == 0
    assert run().status == "completed"
    assert Message.objects.get().state == "delivered"


# Many, and bad luck --------------------------------------------------------------------


def test_a_run_that_cannot_go_on_blocks_no_other_and_is_given_up_with_its_reason(monkeypatch):
    automation(once_per="event")
    place_order("A-1")
    place_order("A-2")
    bad, good = Run.objects.order_by("created_at", "id")
    Due.objects.filter(key=str(bad.id)).update(facts={"since": "never"})

    for hours in range(24):
        tick(now=SOON + hours * HOUR)

    bad.refresh_from_db()
    good.refresh_from_db()
    assert good.status == "completed"
    assert (bad.status, bad.reason) == ("failed", "ValidationError")
    assert Due.objects.get(key=str(bad.id)).failed_reason == "ValidationError"


HOUSEKEEPING = ("claim_due", "lock_due", "read_confirmed_addresses")


def of_runs(names):
    """Leave out what housekeeping asks through the ORM, and the claims."""
    return [name for name in names if " " not in name and name not in HOUSEKEEPING]


def test_batch_of_runs_runs_the_same_statements_for_any_size(count_statements):
    automation(once_per="event")
    place_order("A-1")
    with count_statements() as few:
        tick(now=SOON)
    for number in range(2, 40):
        place_order(f"A-{number}")

    with count_statements() as many:
        tick(now=SOON)

    assert Message.objects.count() == 39
    assert of_runs(many) == of_runs(few)


def test_worker_with_an_expired_claim_writes_no_progress():

    start_run([SAY])
    stale = queue.claim(now=SOON)
    later = SOON + queue.CLAIM + timedelta(seconds=1)
    queue.claim(now=later)

    runs.advance([task for task in stale if task.job == "run"], later)

    assert not Message.objects.exists()
    assert due_of(run()) is not None


def test_a_run_goes_on_with_the_version_it_began_with():
    start_run([{"kind": "wait", "length": "1h"}, SAY])
    tick(now=SOON)
    AutomationVersion.objects.update(status="retired")
    automation(steps=[say(channels=["email"])], expires="3d")

    tick(now=SOON + 2 * HOUR)

    assert Message.objects.get().channel == "inbox"
