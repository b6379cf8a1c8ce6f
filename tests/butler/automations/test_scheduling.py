from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from butler.automations import scheduling
from butler.decisions import inputs
from butler.due.tick import tick
from butler.models import Decision, Due, Message, Run
from customers.models import Customer
from tests import factories
from tests.butler.live_automations import automation, due_of
from tests.factories import NOON, identify, incoming_event, order, record

NOOR = ("email", "noor@example.com")
ELI = ("email", "eli@example.com")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_version_cache(settings, monkeypatch):
    settings.BUTLER_ACTIVATION_SECONDS = 0
    monkeypatch.setattr(inputs, "_cached_rules", None)


def local(*parts, zone=AMSTERDAM):
    return datetime(*parts, tzinfo=zone).astimezone(UTC)


def saying(text):
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
    document_fields.setdefault("steps", saying("See you on {{ order.visit_date }}."))
    return automation("reminder", **document_fields)


def booked(visit_date="2026-11-25", who=NOOR, number="A-1", at=NOON, **traits):
    return record(
        identify(who, name="Noor", at=at, **traits),
        order(number, who, visit_date=visit_date, at=at),
    )


def test_a_visit_is_reminded_of_at_its_time_on_the_customers_clock():
    reminder()
    booked(timezone="Europe/London")

    tick(now=NOON + HOUR)

    assert run().occasion == "order:A-1:2026-11-23"
    assert due_of(run()).due_at == local(2026, 11, 23, 9, zone=ZoneInfo("Europe/London"))
    tick(now=due_of(run()).due_at + SECOND)
    message = Message.objects.get()
    assert message.relation == "order:A-1"
    assert message.facts["order"]["visit_date"] == "2026-11-25"


def test_who_states_no_zone_is_where_the_company_is():
    reminder()
    booked()

    tick(now=NOON + HOUR)

    assert due_of(run()).due_at == local(2026, 11, 23, 9)


def test_a_date_that_is_far_away_waits():
    reminder()
    booked("2026-12-24")

    tick(now=NOON + HOUR)

    assert not Run.objects.exists()


def test_planning_again_and_again_makes_one_run():
    reminder()
    booked()

    for minutes in range(0, 300, 11):
        tick(now=NOON + timedelta(minutes=minutes))

    assert Run.objects.count() == 1


def test_a_visit_that_was_moved_is_reminded_of_on_its_new_date():
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
        ("order:A-1:2026-11-23", "done"),
    }
    assert Message.objects.count() == 1


def test_a_visit_that_was_cancelled_is_not_reminded_of():
    reminder()
    booked()
    tick(now=NOON + HOUR)
    record(order("A-1", NOOR, name="Order Cancelled", at=NOON + 2 * HOUR))

    tick(now=local(2026, 11, 23, 9, 0, 5))

    assert skipped() == ["condition"]
    assert not Message.objects.exists()


def test_who_books_after_the_moment_needs_no_reminder():
    reminder()
    booked("2026-11-23", at=NOON)

    tick(now=NOON + HOUR)

    assert not Run.objects.exists()


def test_a_visit_that_only_a_browser_claims_is_not_reminded_of():
    reminder()
    record(order("A-1", NOOR, visit_date="2026-11-25"), by=factories.sender(trusted=False))

    tick(now=NOON + HOUR)

    assert not Run.objects.exists()


def test_what_was_missed_while_nobody_ticked_is_caught_up():
    reminder()
    booked()

    tick(now=local(2026, 11, 23, 15))

    assert Message.objects.exists()


def test_what_was_missed_for_too_long_is_explained_once():
    reminder()
    booked()

    tick(now=local(2026, 11, 23, 22))
    tick(now=local(2026, 11, 23, 23))

    assert skipped() == ["late_event"]
    assert (run().status, run().reason) == ("cancelled", "late_event")
    assert due_of(run()) is None


def test_a_date_from_before_it_went_live_is_nobodys_business():
    reminder(live_at=local(2026, 11, 23, 10))
    booked()

    tick(now=local(2026, 11, 23, 11))

    assert not Run.objects.exists()


def test_who_moves_to_another_zone_is_reminded_on_the_clock_there():
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
def test_the_nights_when_the_clocks_change_have_each_occasion_once(visit, at, moment):
    trigger = {"kind": "date", "date": "order.visit_date", "at": at, "days_before": 2}
    reminder(trigger=trigger)
    booked(visit)

    for hours in (-30, -3, -2, -1, 0, 1, 2, 3, 30):
        tick(now=moment + hours * HOUR + SECOND)

    (message,) = Message.objects.all()
    assert 0 <= (message.created_at - moment).total_seconds() < 60


def test_many_dates_are_planned_a_batch_at_a_time(monkeypatch):
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
    document_fields.setdefault("steps", saying("{{ member.name }} turns {{ member.age_turning }}."))
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
def test_who_was_born_on_29_february_is_wished_well_each_year_once(year, day):
    birthday(relation="visit")
    with_child("2020-02-29")
    moment = local(day.year, day.month, day.day, 10, 0, 5)

    for days in range(-3, 4):
        tick(now=moment + days * DAY)

    (only,) = Run.objects.all()
    assert only.occasion == f"member:m1:{day}"
    # Whatever was decided, it was not that the day is not hers.
    assert "condition" not in skipped()


# When it is ten on 23 November for the first time, on Kiritimati.
FIRST = datetime(2026, 11, 22, 20, tzinfo=UTC)


def test_a_birthday_that_turned_out_to_be_another_day_is_left_out():
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


def test_a_date_among_the_traits_returns_each_year():
    trigger = {"kind": "date", "date": "trait.birth_date", "at": "10:00"}
    automation("own", trigger=trigger, relation="order", topic="visits")
    booked("2027-03-01", birth_date="1987-11-23")

    tick(now=NOON + HOUR)
    tick(now=local(2026, 11, 23, 10, 0, 5))

    assert run().occasion == "trait:birth_date:2026-11-23"
    assert Message.objects.exists()


def test_the_birthdays_of_a_day_are_gone_through_once(monkeypatch):
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


def test_birthdays_that_nobody_looked_for_are_caught_up():
    birthday()
    with_child("2019-11-23")
    tick(now=FIRST - 30 * HOUR)

    tick(now=local(2026, 11, 23, 19, 30))

    assert Message.objects.count() == 1


def test_birthdays_that_nobody_looked_for_too_long_are_explained():
    birthday()
    with_child("2019-11-23")

    tick(now=local(2026, 11, 24, 9))

    assert skipped() == ["late_event"]


def test_many_birthdays_are_planned_a_batch_at_a_time(monkeypatch):
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


def test_a_trait_that_is_no_date_has_no_day():
    trigger = {"kind": "date", "date": "trait.birth_date", "at": "10:00"}
    automation("own", trigger=trigger, relation="order", topic="visits")
    booked("2027-03-01", birth_date="the 3-11-23")

    tick(now=NOON + HOUR)
    tick(now=FIRST)

    assert not Run.objects.exists()
