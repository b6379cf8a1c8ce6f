import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction

from butler.due.tick import tick
from butler.messages.render import render
from butler.models import Decision, Message, Run
from tests import factories
from tests.butler.live_automations import automation, document
from tests.factories import NOON, identify, incoming_event, order, record

NOOR = ("email", "noor@example.com")
SEM = ("email", "sem@example.com")
PHOTOS = {
    "en": {
        "subject": "{{ gathered.count }} photos",
        "text": "{% for one in gathered.events %}{{ one.properties.ride }}. {% endfor %}",
    },
}
SAY = {"kind": "message", "channels": ["inbox"], "texts": PHOTOS}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_version_cache")]


def photos(gather="2h", **fields):
    trigger = {"kind": "event", "event": "Photo Taken", "gather": gather}
    return automation("photos", **{"trigger": trigger, "steps": [SAY], "expires": "3h"} | fields)


def photo(ride, *, at=NOON, of=NOOR):
    return incoming_event(of, name="Photo Taken", properties={"ride": ride}, at=at)


def rides(message):
    return [event["properties"]["ride"] for event in message.facts["gathered"]["events"]]


def visits(of=NOOR, on="2026-11-22", **traits):
    ordered = order(f"A-{of[1]}", of, visit_date=on, total="80.00", currency="EUR")
    return record(identify(of, name="Somebody", **traits), ordered)


def test_events_within_the_gathering_time_make_one_message():
    visits()
    photos("2h")
    for number, ride in enumerate(("Night Mail", "Otter Run", "The Weir")):
        record(photo(ride, at=NOON + timedelta(minutes=10 * number)))
        tick(now=NOON + timedelta(minutes=10 * number + 1))
    assert not Message.objects.exists()

    tick(now=NOON + timedelta(hours=2, seconds=1))

    message = Message.objects.get()
    assert rides(message) == ["Night Mail", "Otter Run", "The Weir"]
    assert message.occurred_at == NOON + timedelta(hours=2)
    assert Run.objects.get().status == "completed"


def test_events_of_one_batch_are_gathered_per_customer():
    visits()
    visits(SEM)
    photos("2h")

    record(photo("Night Mail"), photo("The Weir", of=SEM), photo("Otter Run"))
    tick(now=NOON + timedelta(hours=3))

    messages = Message.objects.all()
    assert sorted(rides(message) for message in messages) == [
        ["Night Mail", "Otter Run"],
        ["The Weir"],
    ]


def test_event_after_the_message_starts_a_new_gathering():
    visits()
    photos("30m")
    record(photo("Night Mail"))
    tick(now=NOON + timedelta(minutes=31))

    record(photo("Otter Run", at=NOON + timedelta(minutes=40)))
    tick(now=NOON + timedelta(minutes=71))

    assert [rides(message) for message in Message.objects.order_by("created_at")] == [
        ["Night Mail"],
        ["Otter Run"],
    ]


def test_gathering_until_a_time_of_day_ends_at_the_customers_local_time():
    visits(timezone="America/New_York")
    photos("18:00")
    record(photo("Night Mail"))

    tick(now=datetime(2026, 11, 21, 22, 59, tzinfo=UTC))
    assert not Message.objects.exists()
    tick(now=datetime(2026, 11, 21, 23, 1, tzinfo=UTC))

    assert rides(Message.objects.get()) == ["Night Mail"]


@pytest.mark.parametrize(
    ("photo_at", "message_at"),
    [
        # The night in which 02:30 is missing, and the one in which it comes twice.
        (datetime(2027, 3, 27, 23, 0, tzinfo=UTC), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        (datetime(2027, 10, 30, 23, 0, tzinfo=UTC), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_gathering_that_ends_at_a_clock_change_sends_one_message(photo_at, message_at):
    visits(on=f"{message_at:%Y-%m-%d}", timezone="Europe/Amsterdam")
    photos("02:30")
    record(photo("Night Mail", at=photo_at), at=photo_at)

    tick(now=message_at - timedelta(seconds=1))
    assert not Message.objects.exists()
    tick(now=message_at + timedelta(seconds=1))
    tick(now=message_at + timedelta(hours=1, seconds=1))

    assert Message.objects.get().occurred_at == message_at


def test_gathered_events_stay_with_their_customer_and_automation():
    photos()
    trigger = {"kind": "event", "event": "Ride Taken", "gather": "2h"}
    automation("rides", trigger=trigger, steps=[SAY], expires="3h")
    record(photo("Night Mail"))
    record(photo("Otter Run", of=SEM))
    record(incoming_event(NOOR, name="Ride Taken", properties={"ride": "The Weir"}))

    record(photo("The Weir", at=NOON + timedelta(minutes=1)))

    counts = Run.objects.order_by("automation_id", "-cause__count").values_list(
        "automation_id", "cause__count"
    )
    assert list(counts) == [("photos", 2), ("photos", 1), ("rides", 1)]


def test_repeated_event_is_gathered_once():
    visits()
    photos("2h")
    desk = factories.sender()
    event = photo("Night Mail")

    record(event, by=desk)
    record(event, by=desk)
    tick(now=NOON + timedelta(hours=3))

    assert Message.objects.get().facts["gathered"]["count"] == 1


def test_late_event_is_not_gathered_and_leaves_a_decision():
    visits()
    photos("30m")
    record(photo("Night Mail"))

    record(photo("Otter Run", at=NOON - timedelta(hours=4)), at=NOON + timedelta(minutes=1))
    tick(now=NOON + timedelta(minutes=31))

    assert rides(Message.objects.get()) == ["Night Mail"]
    assert Decision.objects.filter(code="late_event").count() == 1


def test_condition_is_evaluated_over_all_gathered_events_at_the_end():
    visits()
    photos("30m", condition="gathered.count >= 2")
    record(photo("Night Mail"))
    tick(now=NOON + timedelta(minutes=1))
    record(photo("Otter Run", at=NOON + timedelta(minutes=5)))

    tick(now=NOON + timedelta(minutes=31))

    assert rides(Message.objects.get()) == ["Night Mail", "Otter Run"]


def test_gathering_keeps_the_first_hundred_events_and_counts_all():
    visits()
    photos("2h")
    for start in range(0, 120, 40):
        record(*(photo(f"Ride {number:03}") for number in range(start, start + 40)))

    tick(now=NOON + timedelta(hours=3))

    gathered = Message.objects.get().facts["gathered"]
    assert gathered["count"] == 120
    assert len(gathered["events"]) in range(100, 140)


@pytest.mark.django_db(transaction=True)
def test_concurrent_events_are_both_gathered():
    visits()
    photos("2h")
    began = threading.Barrier(8)

    def take(number):
        began.wait()
        try:
            record(photo(f"Ride {number}"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tick(now=NOON + timedelta(hours=3))

    assert sorted(rides(Message.objects.get())) == [f"Ride {number}" for number in range(8)]


@pytest.mark.django_db(transaction=True)
def test_event_during_the_end_of_a_gathering_starts_a_new_one():
    visits()
    photos("2h")
    record(photo("Night Mail"))
    waited = []

    def arrive():
        record(photo("Otter Run", at=NOON + timedelta(hours=2)))
        waited.append(True)
        connections.close_all()

    with transaction.atomic():
        # The worker that continues a run locks it first and then changes it.
        run = Run.objects.select_for_update().get()
        arriving = threading.Thread(target=arrive)
        arriving.start()
        arriving.join(0.3)
        assert not waited
        Run.objects.filter(id=run.id).update(step="0")
    arriving.join()

    assert sorted(len(run.cause["gathered"]) for run in Run.objects.all()) == [1, 1]


def test_text_can_loop_over_all_gathered_events():
    photos_document = document(
        "photos", steps=[SAY], trigger={"kind": "event", "event": "x", "gather": "2h"}
    )
    events = [{"properties": {"ride": "Night Mail"}}, {"properties": {"ride": "Otter Run"}}]
    context = {"gathered": {"count": 2, "events": events}, "company": {"name": "Larkmoor"}}

    words = render(photos_document, "0", "inbox", context, {}, "en")

    assert words.subject == "2 photos"
    assert "Night Mail. Otter Run." in words.text


def test_run_of_an_older_version_without_gathering_is_not_changed():
    visits()
    absence = {"kind": "absence", "event": "Photo Taken", "absent": "Photo Bought", "within": "2h"}
    older = photos(trigger=absence)
    record(photo("Night Mail"))
    older.status = "retired"
    older.save(update_fields=["status"])
    photos("2h")

    record(photo("Otter Run", at=NOON + timedelta(minutes=10)))

    first, second = Run.objects.order_by("occurred_at")
    assert "gathered" not in first.cause
    assert second.cause["count"] == 1
