from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from butler.automations import scheduling
from butler.due.tick import tick
from butler.models import Decision, Due, Message, Run
from customers.models import Customer
from tests import factories
from tests.butler.arrange import local
from tests.butler.live_automations import automation, due_of
from tests.factories import NOON, identify, incoming_event, order, record

NOOR = ("email", "noor@example.com")
ELI = ("email", "eli@example.com")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_version_cache")]


def message_steps(text):
    return [
        {"kind": "message", "channels": ["inbox"], "texts": {"en": {"subject": "!", "text": text}}}
    ]


def run():
    return Run.objects.get()


def skipped():
    return list(Decision.objects.filter(outcome="skip").values_list("code", flat=True))


# A date on the record ------------------------------------------------------------------


def reminder(**fields):
    trigger = {"kind": "date", "date": "order.visit_date", "at": "09:00", "days_before": 2}
    document_fields = {"trigger": trigger, "topic": "visits", "expires": "12h"} | fields
    document_fields.setdefault("steps", message_steps("See you on {{ order.visit_date }}."))
    return automation("reminder", **document_fields)


def booked(visit_date="2026-11-25", who=NOOR, number="A-1", at=NOON, **traits):
    return record(
        identify(who, name="Noor", at=at, **traits),
        order(number, who, visit_date=visit_date, at=at),
    )


def test_visit_reminder_is_due_at_its_local_time_of_the_customer():
    reminder()
    booked(timezone="Europe/London")

    tick(now=NOON + HOUR)

    assert run().occasion == "order:A-1:2026-11-23"
    assert due_of(run()).due_at == local(2026, 11, 23, 9, zone=ZoneInfo("Europe/London"))
    tick(now=due_of(run()).due_at + SECOND)
    message = Message.objects.get()
    assert message.relation == "order:A-1"
    assert message.facts["order"]["visit_date"] == "2026-11-25"


def test_customer_without_a_zone_gets_the_zone_of_the_company():
    reminder()
    booked()

    tick(now=NOON + HOUR)

    assert due_of(run()).due_at == local(2026, 11, 23, 9)


def test_date_beyond_the_horizon_starts_no_run_yet():
    reminder()
    booked("2026-12-24")

    tick(now=NOON + HOUR)

    assert not Run.objects.exists()


def test_repeated_planning_makes_one_run():
    reminder()
    booked()

    for minutes in range(0, 300, 11):
        tick(now=NOON + timedelta(minutes=minutes))

    assert Run.objects.count() == 1


def test_moved_visit_gets_its_reminder_for_the_new_date():
    reminder()
    booked("2026-11-24")
    tick(now=NOON + HOUR)
    amended = order("A-1", NOOR, name="Order Amended", visit_date="2026-11-25", at=NOON + 2 * HOUR)
    record(amended)

    tick(now=local(2026, 11, 22, 9, 0, 5))
    assert skipped() == ["condition"]
    tick(now=local(2026, 11, 23, 9, 0, 5))

    assert set(Run.objects.values_list("occasion", "status")) == {
        ("order:A-1:2026-11-22", "cancelled"),
        ("order:A-1:2026-11-23", "completed"),
    }
    assert Message.objects.count() == 1


def test_cancelled_visit_gets_no_reminder():
    reminder()
    booked()
    tick(now=NOON + HOUR)
    record(order("A-1", NOOR, name="Order Cancelled", at=NOON + 2 * HOUR))

    tick(now=local(2026, 11, 23, 9, 0, 5))

    assert skipped() == ["condition"]
    assert not Message.objects.exists()


def test_order_placed_after_the_due_time_gets_no_reminder():
    reminder()
    booked("2026-11-23", at=NOON)

    tick(now=NOON + HOUR)

    assert not Run.objects.exists()


def test_claimed_visit_gets_no_reminder():
    reminder()
    record(order("A-1", NOOR, visit_date="2026-11-25"), by=factories.sender(trusted=False))

    tick(now=NOON + HOUR)

    assert not Run.objects.exists()


def test_missed_dates_are_caught_up_by_the_next_tick():
    reminder()
    booked()

    tick(now=local(2026, 11, 23, 15))

    assert Message.objects.exists()


def test_date_missed_for_too_long_leaves_one_late_decision():
    reminder()
    booked()

    tick(now=local(2026, 11, 23, 22))
    tick(now=local(2026, 11, 23, 23))

    assert skipped() == ["late_event"]
    assert (run().status, run().reason) == ("cancelled", "late_event")
    assert due_of(run()) is None


def test_date_before_the_version_went_live_starts_no_run():
    reminder(live_at=local(2026, 11, 23, 10))
    booked()

    tick(now=local(2026, 11, 23, 11))

    assert not Run.objects.exists()


def test_customer_who_changes_the_zone_gets_the_reminder_at_the_new_local_time():
    reminder()
    booked()
    tick(now=NOON + HOUR)
    moved = NOON + 2 * HOUR
    record(identify(NOOR, timezone="America/New_York", at=moved))

    tick(now=local(2026, 11, 23, 9, 0, 5))
    assert not Message.objects.exists()
    nine = local(2026, 11, 23, 9, zone=ZoneInfo("America/New_York"))
    assert due_of(run()).due_at == nine
    tick(now=nine + SECOND)

    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("visit", "at", "moment"),
    [
        pytest.param("2027-03-30", "02:30", local(2027, 3, 28, 3), id="the hour that is not there"),
        pytest.param("2027-11-02", "02:30", local(2027, 10, 31, 2, 30), id="the hour twice"),
        pytest.param("2027-03-30", "09:00", local(2027, 3, 28, 9), id="summer"),
    ],
)
def test_clock_change_gives_each_occasion_one_run(visit, at, moment):
    trigger = {"kind": "date", "date": "order.visit_date", "at": at, "days_before": 2}
    reminder(trigger=trigger)
    booked(visit)

    for hours in (-30, -3, -2, -1, 0, 1, 2, 3, 30):
        tick(now=moment + hours * HOUR + SECOND)

    (message,) = Message.objects.all()
    assert 0 <= (message.created_at - moment).total_seconds() < 60


def test_many_dates_are_planned_in_batches(monkeypatch):
    monkeypatch.setattr(scheduling, "BATCH", 3)
    reminder()
    for number in range(8):
        booked(who=("email", f"g{number}@example.com"), number=f"A-{number}")

    tick(now=NOON + HOUR)

    assert Run.objects.count() == 8
    assert not Due.objects.filter(job="plan_date").exists()


# Birthdays -----------------------------------------------------------------------------


def birthday(**fields):
    trigger = {"kind": "date", "date": "member.birth_date", "at": "10:00"}
    document_fields = {
        "trigger": trigger,
        "topic": "visits",
        "relation": "order",
        "expires": "10h",
    } | fields
    document_fields.setdefault(
        "steps", message_steps("{{ member.name }} turns {{ member.age_turning }}.")
    )
    return automation("birthday", **document_fields)


def with_child(born):
    booked("2027-03-01", at=NOON)
    child = {"name": "Mila", "role": "child", "birth_date": born}
    record(incoming_event(NOOR, name="Party Member Changed", about="member:m1", properties=child))


def test_the_birthday_of_a_child_goes_to_the_customer():
    birthday()
    with_child("2019-11-23")

    tick(now=NOON + HOUR)
    tick(now=local(2026, 11, 23, 10, 0, 5))

    message = Message.objects.get()
    assert message.customer_id == Customer.objects.get().id
    assert message.facts["member"]["name"] == "Mila"
    assert message.facts["member"]["age_turning"] == 7


@pytest.mark.parametrize(("year", "day"), [(2027, date(2027, 2, 28)), (2028, date(2028, 2, 29))])
def test_birthday_on_29_february_starts_one_run_each_year(year, day):
    birthday(relation="visit")
    with_child("2020-02-29")
    moment = local(day.year, day.month, day.day, 10, 0, 5)

    for days in range(-3, 4):
        tick(now=moment + days * DAY)

    (only,) = Run.objects.all()
    assert only.occasion == f"member:m1:{day}"
    # The run was not skipped for the reason that the day is not her birthday.
    assert "condition" not in skipped()


# When it is ten on 23 November for the first time, on Kiritimati.
FIRST = datetime(2026, 11, 22, 20, tzinfo=UTC)


def test_changed_birthday_cancels_the_planned_run():
    birthday()
    with_child("2019-11-23")
    tick(now=NOON + HOUR)
    tick(now=FIRST)
    changed = {"birth_date": "2019-05-05"}
    record(
        incoming_event(
            NOOR,
            name="Party Member Changed",
            about="member:m1",
            properties=changed,
            at=FIRST + HOUR,
        )
    )

    tick(now=local(2026, 11, 23, 10, 0, 5))

    assert skipped() == ["condition"]


def test_date_trait_starts_a_run_each_year():
    trigger = {"kind": "date", "date": "trait.birth_date", "at": "10:00"}
    automation("own", trigger=trigger, relation="order", topic="visits")
    booked("2027-03-01", birth_date="1987-11-23")

    tick(now=NOON + HOUR)
    tick(now=local(2026, 11, 23, 10, 0, 5))

    assert run().occasion == "trait:birth_date:2026-11-23"
    assert Message.objects.exists()


def test_birthdays_of_a_day_are_planned_once(monkeypatch):
    statement_names = []
    read = scheduling.sql.rows
    monkeypatch.setattr(
        scheduling.sql,
        "rows",
        lambda name, params: statement_names.append(name) or read(name, params),
    )
    birthday()
    with_child("2019-11-23")

    for minutes in range(-24 * 60, 24 * 60, 11):
        tick(now=FIRST + timedelta(minutes=minutes))

    # The 22nd and the 23rd begin, and three days before them could have been missed.
    assert statement_names.count("find_upcoming_members") == 5
    assert Run.objects.count() == 1


def test_missed_birthdays_are_caught_up():
    birthday()
    with_child("2019-11-23")
    tick(now=FIRST - 30 * HOUR)

    tick(now=local(2026, 11, 23, 19, 30))

    assert Message.objects.count() == 1


def test_birthdays_missed_for_too_long_leave_late_decisions():
    birthday()
    with_child("2019-11-23")

    tick(now=local(2026, 11, 24, 9))

    assert skipped() == ["late_event"]


def test_many_birthdays_are_planned_in_batches(monkeypatch):
    monkeypatch.setattr(scheduling, "BATCH", 3)
    birthday()
    for number in range(8):
        who = ("email", f"g{number}@example.com")
        born = {"name": "Mila", "role": "child", "birth_date": "2019-11-23"}
        record(incoming_event(who, name="Party Member Changed", about="member:m1", properties=born))

    tick(now=NOON + HOUR)
    tick(now=FIRST)

    assert Run.objects.count() == 8
    assert not Due.objects.filter(job="plan_date", due_at__lte=FIRST).exists()


def test_trait_that_is_not_a_date_starts_no_run():
    trigger = {"kind": "date", "date": "trait.birth_date", "at": "10:00"}
    automation("own", trigger=trigger, relation="order", topic="visits")
    booked("2027-03-01", birth_date="the 3-11-23")

    tick(now=NOON + HOUR)
    tick(now=FIRST)

    assert not Run.objects.exists()
