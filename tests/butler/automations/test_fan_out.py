from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from butler.actions.topics import set_status
from butler.automations import fan_out
from butler.due.tick import tick
from butler.models import Decision, Due, Message, PauseSwitch, Run, TopicStatus
from customers.models import Customer
from tests import factories
from tests.butler.arrange import local
from tests.butler.live_automations import SAY, automation, due_of
from tests.customers import consent_helpers
from tests.factories import NOON, identify, order, record

NOOR = ("email", "noor@example.com")
ELI = ("email", "eli@example.com")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_version_cache")]


def run():
    return Run.objects.get()


def skipped():
    return list(Decision.objects.filter(outcome="skip").values_list("code", flat=True))


def book_visit(visit_date="2026-11-25", who=NOOR, number="A-1", at=NOON, **traits):
    return record(
        identify(who, name="Noor", at=at, **traits),
        order(number, who, visit_date=visit_date, at=at),
    )


# Schedules -----------------------------------------------------------------------------


def weekly(**fields):
    trigger = {"kind": "schedule", "at": "10:00", "audience": "everyone", "days": [1]}
    document_fields = {"trigger": trigger | fields.pop("trigger", {}), "topic": "visits"} | fields
    return automation("weekly", **document_fields)


def test_schedule_starts_runs_at_the_local_time_of_each_customer():
    """2026-11-23 is a Monday; it is ten in Auckland long before it is in Amsterdam."""
    weekly()
    book_visit("2027-03-01", who=NOOR)
    book_visit("2027-03-01", who=ELI, number="A-2", timezone="Pacific/Auckland")

    tick(now=local(2026, 11, 22, 21, 30))

    auckland = local(2026, 11, 23, 10, zone=ZoneInfo("Pacific/Auckland"))
    moments = [due_of(run).due_at for run in Run.objects.order_by("occurred_at")]
    assert moments == [auckland, local(2026, 11, 23, 10)]
    tick(now=local(2026, 11, 23, 10, 0, 5))
    assert Message.objects.count() == 2


def test_schedule_starts_one_run_for_each_of_its_days():
    weekly()
    book_visit("2027-03-01")

    for hours in range(0, 24 * 12, 11):
        tick(now=NOON + hours * HOUR)

    occasions = Run.objects.order_by("occasion").values_list("occasion", flat=True)
    assert list(occasions) == ["2026-11-23", "2026-11-30"]


def test_a_schedule_can_name_dates():
    weekly(trigger={"days": [], "dates": ["2026-12-01"]})
    book_visit("2027-03-01")

    for hours in range(0, 24 * 12, 11):
        tick(now=NOON + hours * HOUR)

    assert run().occasion == "2026-12-01"


def test_audience_of_a_consent_contains_only_consenting_customers():
    consent_helpers.house()
    said_yes, said_no = factories.customer(NOOR), factories.customer(ELI)
    consent_helpers.say(said_yes.id, consent_helpers.give("offers"))
    consent_helpers.say(said_no.id, consent_helpers.refuse("offers"))
    weekly(trigger={"audience": "consented:offers"})

    tick(now=local(2026, 11, 22, 21, 30))

    assert run().customer_id == said_yes.id


def test_audience_is_processed_in_batches(monkeypatch):
    monkeypatch.setattr(fan_out, "BATCH", 3)
    weekly()
    for number in range(8):
        factories.customer(("email", f"g{number}@example.com"))

    tick(now=local(2026, 11, 22, 21, 30))

    assert Run.objects.count() == 8
    assert not Due.objects.filter(job="fan_out").exists()


# Topics --------------------------------------------------------------------------------

DOWN = {"kind": "topic", "topic": "ride:*", "status": "down", "audience": "visiting_today"}
OPEN = {"kind": "topic", "topic": "ride:*", "status": "open", "audience": "notified:ride-down"}


def rides():
    common_fields = {"topic": "rides", "relation": "visit", "expires": "2h"}
    text = {"subject": "{{ topic.name }}", "text": "It is {{ topic.status }}."}
    steps = [{"kind": "message", "channels": ["inbox"], "texts": {"en": text}}]
    automation("ride-down", trigger=DOWN, steps=steps, **common_fields)
    automation("ride-open", trigger=OPEN, **common_fields)


def set_ride_status(status, at=NOON + HOUR, key="ride:night-mail", **facts):
    return set_status(key=key, status=status, facts=facts, author_name="staff:Iris", now=at)


def messages_of(key):
    return Message.objects.filter(automation_id=key)


def test_closed_ride_starts_runs_for_the_visitors_of_today():
    rides()
    book_visit("2026-11-21", who=NOOR)
    book_visit("2026-11-22", who=ELI, number="A-2")

    set_ride_status("down", name="Night Mail")
    tick(now=NOON + HOUR + SECOND)

    message = messages_of("ride-down").get()
    assert message.relation == "visit:2026-11-21"
    assert message.facts["topic"]["name"] == "Night Mail"
    assert message.facts["topic"]["status"] == "down"


def test_reopening_notifies_only_customers_who_were_notified_of_the_closure():
    rides()
    book_visit("2026-11-21", who=NOOR)
    set_ride_status("down")
    tick(now=NOON + HOUR + SECOND)
    book_visit("2026-11-21", who=ELI, number="A-2", at=NOON + HOUR)

    # Messages of today are found by their ids, which are made by the clock of the machine.
    reopened = NOON + 2 * HOUR
    set_ride_status("open", at=reopened)
    tick(now=reopened + SECOND)

    assert messages_of("ride-open").get().customer_id == messages_of("ride-down").get().customer_id


def test_topic_status_that_changed_again_is_not_announced():
    rides()
    book_visit("2026-11-21")
    set_ride_status("down")
    set_ride_status("open")

    tick(now=NOON + HOUR + SECOND)

    assert not Message.objects.exists()


def test_run_of_a_superseded_topic_status_sends_no_message():
    common_fields = {"topic": "rides", "relation": "visit", "expires": "2h"}
    automation(
        "ride-down", trigger=DOWN, steps=[{"kind": "wait", "length": "5m"}, SAY], **common_fields
    )
    book_visit("2026-11-21")
    set_ride_status("down")
    tick(now=NOON + HOUR + SECOND)
    set_ride_status("open", at=NOON + HOUR + timedelta(minutes=3))

    tick(now=NOON + HOUR + timedelta(minutes=6))

    assert skipped() == ["superseded"]


def test_unchanged_topic_status_starts_no_runs():
    rides()
    book_visit("2026-11-21")

    for minutes in range(3):
        set_ride_status("down", at=NOON + HOUR + timedelta(minutes=minutes), minutes=minutes)
        tick(now=NOON + HOUR + timedelta(minutes=minutes, seconds=1))

    assert Message.objects.count() == 1
    assert TopicStatus.objects.get().facts["minutes"] == 2


def test_second_closure_of_a_ride_is_a_new_occasion():
    rides()
    book_visit("2026-11-21")

    for hours, status in enumerate(["down", "open", "down"], start=1):
        set_ride_status(status, at=NOON + hours * HOUR)
        tick(now=NOON + hours * HOUR + SECOND)

    assert Run.objects.filter(automation_id="ride-down").count() == 2


def test_topic_outside_the_trigger_pattern_starts_no_runs():
    rides()
    book_visit("2026-11-21")

    set_ride_status("down", key="shop:post-office")
    tick(now=NOON + HOUR + SECOND)

    assert not Run.objects.exists()


def test_engaged_switch_stops_a_fan_out_between_batches(monkeypatch):
    monkeypatch.setattr(fan_out, "BATCH", 2)
    rides()
    for number in range(5):
        book_visit("2026-11-21", who=("email", f"g{number}@example.com"), number=f"A-{number}")
    set_ride_status("down")
    PauseSwitch.objects.create(key="ride-down", engaged_at=NOON, engaged_by="staff:Lin")

    tick(now=NOON + HOUR + SECOND)

    assert not Run.objects.exists()
    assert not Due.objects.filter(job="fan_out").exists()


def test_expired_consents_are_written_to_the_ledger():
    consent_helpers.house()
    noor = factories.customer(NOOR)
    consent_helpers.say(noor.id, consent_helpers.give("offers", valid_until=NOON + HOUR))

    tick(now=NOON + 2 * HOUR)

    assert not Customer.objects.get(pk=noor.id).consent_state.granted
