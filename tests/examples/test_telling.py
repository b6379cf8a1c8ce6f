"""What ships, told for real: through the record, the engine, the gate and the ways out."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from butler.actions import topics
from butler.due import tick as ticking
from butler.models import AutomationVersion, Message, StaffTask
from channels.deliveries import deliver
from customers.actions import consent
from customers.actions.changes import Author
from customers.actions.consent import ConsentStatement
from customers.models import Notice
from tests import factories, staff

FOLDER = Path(__file__).parents[2] / "examples" / "themepark" / "automations"
# A Friday morning in the park.
NOW = datetime(2027, 4, 16, 8, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def park(settings, capsys):
    settings.DEBUG = True
    lin = staff.colleague("manager", "Lin")
    call_command("load_automations", FOLDER, approve_as=lin.email, live=True)
    # Before anything that these tests say happened.
    AutomationVersion.objects.update(live_at=NOW - timedelta(days=1))


def guest(language="nl", **traits):
    key = f"guest-{uuid.uuid4()}"
    known = (("user_id", key), ("email", f"{key}@example.com"))
    traits = {"first_name": "Noor", "language": language, "timezone": "Europe/Amsterdam"} | traits
    made = factories.customer(*known, email=f"{key}@example.com", **traits)
    return made, ("user_id", key)


def told(customer, name, about, by, at=NOW, **properties):
    said = factories.item(by, name=name, about=about, properties=properties, at=at)
    factories.record(said, at=at)


def work(at=NOW):
    at += timedelta(seconds=5)
    ticking.tick(now=at)
    for channel in ("inbox", "email"):
        # The tick's own clock went on while it worked.
        deliver(channel, clock=lambda: at + timedelta(minutes=1))


def said_to(customer, automation):
    messages = Message.objects.filter(customer_id=customer.id, automation_id=automation)
    return {message.channel: message for message in messages}


def test_an_order_is_confirmed_in_the_app_and_by_mail_in_the_language_of_the_guest():
    noor, by = guest("nl")

    told(
        noor,
        "Order Completed",
        "order:LK-1",
        by,
        order_id="LK-1",
        currency="EUR",
        total="80.00",
        visit_date="2027-04-25",
        visit_time="10:00",
        products=[{"line_id": "a", "name": "Dagkaart", "quantity": 2, "price": "40.00"}],
    )
    work()

    messages = said_to(noor, "receipt")
    assert set(messages) == {"inbox", "email"}
    for message in messages.values():
        assert message.state in ("accepted", "delivered")
        assert message.subject == "Je bestelling LK-1"
        assert "Dank je wel, Noor." in message.text
        assert "2 × Dagkaart" in message.text
        assert "zondag 25 april" in " ".join(message.text.split())
    assert "/orders/LK-1/" in messages["email"].text


def test_a_ride_that_closes_is_told_to_who_visits_today_and_to_nobody_else():
    here, by = guest("sv")
    told(here, "Order Completed", "order:A", by, order_id="A", total="1", visit_date="2027-04-16")
    later, by = guest("sv")
    told(later, "Order Completed", "order:B", by, order_id="B", total="1", visit_date="2027-04-25")
    work()

    facts = {"name": "The Night Mail"}
    topics.set_status(key="ride:night-mail", status="down", facts=facts, author_name="lin", now=NOW)
    work()

    assert "The Night Mail är stängd för tillfället" in said_to(here, "ride-down")["inbox"].text
    assert said_to(later, "ride-down") == {}


def test_the_photos_of_a_day_are_one_message_in_the_evening_on_the_clock_of_the_guest():
    here, by = guest("nl")
    told(here, "Order Completed", "order:A", by, order_id="A", total="1", visit_date="2027-04-16")
    for hour, ride in ((1, "The Night Mail"), (3, "Otter Run"), (4, "Otter Run")):
        at = NOW + timedelta(hours=hour)
        told(here, "Photo Taken", "", by, at=at, ride=ride)
        work(at)
    assert said_to(here, "ride-photos") == {}

    # Six o'clock in Amsterdam.
    work(datetime(2027, 4, 16, 16, tzinfo=UTC))

    (photos,) = said_to(here, "ride-photos").values()
    assert photos.subject == "3 foto's van jullie vandaag"
    assert "betrapt bij The Night Mail en Otter Run." in photos.text


def test_who_asks_to_be_called_is_answered_and_a_colleague_has_it_on_the_list():
    noor, by = guest("da", name="Noor de Wit")

    told(
        noor,
        "Callback Requested",
        "request:R-1",
        by,
        subject="Vores besøg",
        wanted_at="2027-04-16T12:00:00Z",
    )
    work()

    assert 'omkring klokken 14.00 om "Vores besøg"' in said_to(noor, "callback")["inbox"].text
    task = StaffTask.objects.get()
    assert task.title == "Call back Noor de Wit: Vores besøg"


def test_a_table_that_is_late_has_its_new_time_and_then_is_ready():
    elin, by = guest("sv")
    table = {"order_id": "LK-9", "place": "The Long Table"}
    told(elin, "Order Completed", "order:LK-9", by, order_id="LK-9", visit_date="2027-04-16")
    work()

    # On the clock of the guest, whichever clock the kitchen's till has.
    late = {**table, "planned_at": "10:15", "ready_at": "2027-04-16T08:40:00Z"}
    told(elin, "Table Delayed", "order:LK-9", by, **late)
    work()
    told(elin, "Table Ready", "order:LK-9", by, **table, held_until="10:50")
    work()

    heard = said_to(elin, "table-late")["inbox"]
    assert heard.subject == "Ditt bord är klart klockan 10:40"
    assert "The Long Table, som var bokat till klockan 10:15, blir klart omkring" in heard.text
    ready = said_to(elin, "table-ready")["inbox"]
    assert "Ditt bord på The Long Table är klart." in ready.text
    assert "till klockan 10:50" in ready.text


def test_a_table_of_an_order_that_is_not_theirs_is_told_to_nobody():
    elin, by = guest("sv")

    told(elin, "Table Ready", "order:LK-9", by, order_id="LK-9", place="The Long Table")
    work()

    assert said_to(elin, "table-ready") == {}


def test_an_offer_goes_to_who_wants_offers_and_to_nobody_else():
    willing, _ = guest("en")
    silent, _ = guest("en")
    notice = Notice.objects.get(purpose="offers", language="en").digest
    word = ConsentStatement(
        kind="consent.given",
        subject="offers",
        notice=notice,
        language="en",
        evidence={"kind": "click"},
        occurred_at=NOW,
    )
    author = Author(factories.sender())
    consent.record_statements(customer_id=willing.id, statements=[word], author=author, now=NOW)

    # Thursday, five in the afternoon in the park.
    work(at=datetime(2027, 4, 22, 15, tzinfo=UTC))

    assert "children up to 11" in " ".join(said_to(willing, "offer")["email"].text.split())
    assert said_to(silent, "offer") == {}
