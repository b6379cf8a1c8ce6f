from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from butler import sql
from butler.automations import triggers
from butler.automations.run_state import BEFORE_FIRST_STEP
from butler.models import Decision, Due, Run
from customers.identity import decisions
from customers.models import Identifier
from tests import factories
from tests.butler.live_automations import automation, due_of
from tests.factories import NOON, incoming_event, order, record

NOOR = ("email", "noor@example.com")
HOUR = timedelta(hours=1)
CART = {"kind": "absence", "event": "Checkout Started", "absent": "Order Completed", "within": "1h"}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_version_cache")]


def cart(**fields):
    return automation("cart", trigger=CART | fields.pop("trigger", {}), relation="", **fields)


def test_an_event_starts_a_run_in_its_own_transaction():
    automation()

    receipt = record(order("A-1", NOOR))

    run = Run.objects.get()
    assert run.customer_id == receipt.outcomes[0].customer_id
    assert run.cause["about"] == "order:A-1"
    assert (run.status, run.step) == ("waiting", "0")
    assert due_of(run).due_at == NOON + timedelta(seconds=1)


def test_rolled_back_event_starts_no_run():
    automation()

    with transaction.atomic():
        record(order("A-1", NOOR))
        transaction.set_rollback(True)

    assert not Run.objects.exists()
    assert not Due.objects.exists()


def test_an_event_sent_twice_starts_one_run():
    automation()
    event = order("A-1", NOOR)
    desk = factories.sender()

    record(event, by=desk)
    record(event, by=desk)

    assert Run.objects.count() == 1


def test_event_without_an_automation_starts_no_run():
    automation()

    record(incoming_event(NOOR, name="Ride Entered"))

    assert not Run.objects.exists()


@pytest.mark.parametrize("status", ["draft", "approved", "paused", "retired"])
def test_only_a_live_version_starts_runs(status):
    automation(status=status)

    record(order("A-1", NOOR))

    assert not Run.objects.exists()


def test_event_before_the_version_went_live_starts_no_run():
    automation(live_at=NOON)

    record(order("A-1", NOOR, at=NOON - HOUR), at=NOON + HOUR)
    assert not Run.objects.exists()
    assert not Decision.objects.exists()
    record(order("A-2", NOOR, at=NOON), at=NOON + HOUR)

    assert Run.objects.get().cause["about"] == "order:A-2"


def test_batch_three_days_late_starts_no_run_and_leaves_late_decisions():
    automation(expires="1d")

    record(order("A-1", NOOR), at=NOON + timedelta(days=3))

    assert not Run.objects.exists()
    decision = Decision.objects.get()
    assert (decision.outcome, decision.code) == ("skip", "late_event")
    assert decision.act["topic"] == "orders"


@pytest.mark.parametrize(
    ("once_per", "runs"),
    [("event", 4), ("about", 3), ("day", 2), ("customer", 1)],
)
def test_once_per_decides_how_many_runs_events_start(once_per, runs):
    automation(once_per=once_per)
    # In the park's zone the last one is on the next day already.
    times = [NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 11 * HOUR + timedelta(minutes=30)]

    for at, number in zip(times, ["A-1", "A-1", "A-2", "A-3"], strict=True):
        record(order(number, NOOR, at=at))

    assert Run.objects.count() == runs


def test_once_per_holds_within_one_batch():
    automation(once_per="about")

    record(order("A-1", NOOR), order("A-1", NOOR, at=NOON + HOUR), order("A-2", NOOR))

    assert Run.objects.count() == 2


def test_a_subject_too_long_for_its_column_still_makes_an_occasion():
    automation(once_per="about")

    record(order("A" * 400, NOOR))
    record(order("A" * 400, NOOR, at=NOON + HOUR))

    assert len(Run.objects.get().occasion) == 64


def test_event_starts_a_run_of_each_automation():
    automation("receipt")
    automation("survey", topic="visits")

    record(order("A-1", NOOR))

    assert set(Run.objects.values_list("automation_id", flat=True)) == {"receipt", "survey"}


def test_a_run_keeps_the_version_that_started_it():
    first = automation(once_per="event")
    record(order("A-1", NOOR))
    type(first).objects.filter(pk=first.pk).update(status="retired")
    second = automation(once_per="event", expires="2d")
    record(order("A-2", NOOR, at=NOON + HOUR))

    versions = Run.objects.order_by("created_at").values_list("version_id", flat=True)
    assert list(versions) == [first.pk, second.pk]


def _id_of(identifier):
    kind, value = identifier
    return Identifier.objects.get(kind=kind, value=value).customer_id


# The absence of an event ---------------------------------------------------------------


def test_absence_run_is_due_when_its_time_is_over():
    cart()

    record(incoming_event(NOOR, name="Checkout Started"))

    run = Run.objects.get()
    assert (run.step, run.awaited) == (BEFORE_FIRST_STEP, "Order Completed")
    assert due_of(run).due_at == NOON + HOUR


def test_awaited_event_ends_the_absence_run_in_its_transaction():
    cart()
    record(incoming_event(NOOR, name="Checkout Started"))

    record(order("A-1", NOOR, at=NOON + HOUR / 2))

    run = Run.objects.get()
    assert (run.status, run.reason) == ("cancelled", "cancelled_by_event")
    assert due_of(run) is None
    assert Decision.objects.get().code == "cancelled_by_event"


def test_rolled_back_awaited_event_ends_no_run():
    cart()
    record(incoming_event(NOOR, name="Checkout Started"))

    with transaction.atomic():
        record(order("A-1", NOOR, at=NOON + HOUR / 2))
        transaction.set_rollback(True)

    run = Run.objects.get()
    assert run.status == "waiting"
    assert due_of(run).due_at == NOON + HOUR


def test_event_of_another_customer_ends_no_run():
    cart()
    record(incoming_event(NOOR, name="Checkout Started"))

    record(order("A-1", ("email", "eli@example.com"), at=NOON + HOUR / 2))

    assert Run.objects.get().status == "waiting"


def test_event_resumes_only_the_run_that_waits_for_it():
    """Other runs wait, too: of another customer, and for another event."""
    cart()
    opened = {"kind": "wait_for", "event": "Order Completed", "within": "3h", "then": []}
    automation("thanks", trigger={"kind": "event", "event": "Gate Passed"}, steps=[opened])
    eli = ("email", "eli@example.com")
    for who in (NOOR, eli):
        record(
            incoming_event(who, name="Checkout Started"), incoming_event(who, name="Gate Passed")
        )
    Run.objects.filter(automation_id="thanks").update(step="0", awaited="Order Completed")
    Due.objects.update(due_at=NOON + HOUR)
    Due.objects.create(job="housekeeping", key="recurring", due_at=NOON + HOUR)
    waiting_runs = {run.id: run for run in Run.objects.exclude(customer_id=_id_of(NOOR))}

    record(order("A-1", NOOR, at=NOON + HOUR / 2))

    ended, woken = Run.objects.filter(customer_id=_id_of(NOOR)).order_by("automation_id")
    assert (ended.status, due_of(ended)) == ("cancelled", None)
    assert (woken.status, woken.arrived_at is None) == ("waiting", False)
    assert due_of(woken).due_at < NOON + HOUR
    assert len(waiting_runs) == 2
    for run in Run.objects.filter(id__in=waiting_runs):
        assert (run.status, run.arrived_at) == ("waiting", None)
        assert due_of(run).due_at == NOON + HOUR
    assert Due.objects.get(key="recurring").due_at == NOON + HOUR


def test_event_with_another_name_resumes_no_run():
    cart()
    automation(
        "thanks", trigger=CART | {"event": "Gate Passed", "absent": "Gate Left"}, relation=""
    )
    record(incoming_event(NOOR, name="Checkout Started"))

    record(incoming_event(NOOR, name="Gate Left", at=NOON + HOUR / 2))

    assert Run.objects.get().status == "waiting"


def test_awaited_event_at_the_time_of_the_cause_counts():
    cart()
    record(incoming_event(NOOR, name="Checkout Started"))

    record(order("A-1", NOOR, at=Run.objects.get().occurred_at))

    assert Run.objects.get().status == "cancelled"


def test_awaited_event_before_the_cause_ends_no_run():
    cart()
    record(incoming_event(NOOR, name="Checkout Started"))

    record(order("A-1", NOOR, at=NOON - HOUR), at=NOON + HOUR / 2)

    assert Run.objects.get().status == "waiting"


def test_cause_and_awaited_event_in_one_batch_end_the_run():
    cart()

    record(incoming_event(NOOR, name="Checkout Started"), order("A-1", NOOR, at=NOON + HOUR / 2))

    assert Run.objects.get().status == "cancelled"


def test_awaited_event_can_require_the_same_subject():
    cart(trigger={"same": "about"})
    record(incoming_event(NOOR, name="Checkout Started", about="order:A-1"))

    record(order("A-2", NOOR, at=NOON + HOUR / 2))
    assert Run.objects.get().status == "waiting"
    record(order("A-1", NOOR, at=NOON + HOUR / 2))

    assert Run.objects.get().status == "cancelled"


def test_awaited_event_finds_the_run_of_a_merged_record():
    cart()
    record(incoming_event(NOOR, name="Checkout Started"))
    first = Run.objects.get().customer_id
    phone = ("phone", "+31612345678")
    other = factories.customer(phone)

    decisions.merge_records(first, other.id, actor="staff:Lin", now=NOON)

    receipt = record(order("A-1", phone, at=NOON + HOUR / 2))

    assert receipt.outcomes[0].customer_id in {first, other.id}
    assert Run.objects.get().status == "cancelled"


# Number of statements ------------------------------------------------------------------


OF_THE_BUTLER = {path.stem for path in Path(sql.__file__).parent.glob("*.sql")}


@pytest.mark.parametrize("size", [1, 50])
def test_batch_of_events_runs_one_statement_for_any_size(size, count_statements, settings):
    automation()
    record(incoming_event(NOOR))
    settings.BUTLER_ACTIVATION_SECONDS = 3

    with count_statements() as statements:
        record(*(order(f"A-{n}", NOOR) for n in range(size)))

    assert [statement for statement in statements if statement in OF_THE_BUTLER] == ["start_runs"]


def test_events_without_automations_run_no_statement(count_statements, settings):
    automation()
    record(incoming_event(NOOR))
    settings.BUTLER_ACTIVATION_SECONDS = 3

    with count_statements() as statements:
        record(*(incoming_event(NOOR) for _ in range(50)))

    assert OF_THE_BUTLER.isdisjoint(statements)
    assert statements


def test_event_is_stored_where_its_run_cannot_be_made(monkeypatch):
    """A fault in making a run is no fault of the event, and costs no run beside it."""
    automation(once_per="about")

    def shorten_key(text):
        if "A-2" in text:
            raise OverflowError
        return text

    monkeypatch.setattr(triggers, "shorten_key", shorten_key)

    receipt = record(order("A-1", NOOR), order("A-2", NOOR), order("A-3", NOOR))

    assert receipt.accepted == 3
    assert sorted(run.cause["about"] for run in Run.objects.all()) == ["order:A-1", "order:A-3"]
