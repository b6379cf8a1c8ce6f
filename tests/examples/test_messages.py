"""The messages of the examples, sent through the record, the automations, the gate and the adapters."""

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
from customers.actions.changes import ChangeAuthor
from customers.consent.statements import ConsentStatement
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
    # Before all events of these tests.
    AutomationVersion.objects.update(live_at=NOW - timedelta(days=1))


def guest(language="nl", **traits):
    key = f"guest-{uuid.uuid4()}"
    identifiers = (("user_id", key), ("email", f"{key}@example.com"))
    traits = {"first_name": "Noor", "language": language, "timezone": "Europe/Amsterdam"} | traits
    customer = factories.customer(*identifiers, email=f"{key}@example.com", **traits)
    return customer, ("user_id", key)


def record_event(customer, name, about, identifier, at=NOW, **properties):
    event = factories.incoming_event(
        identifier, name=name, about=about, properties=properties, at=at
    )
    factories.record(event, at=at)


def work(at=NOW):
    at += timedelta(seconds=5)
    ticking.tick(now=at)
    for channel in ("inbox", "email"):
        # The tick's own clock went on while it worked.
        deliver(channel, clock=lambda: at + timedelta(minutes=1))


def messages_by_channel(customer, automation):
    messages = Message.objects.filter(customer_id=customer.id, automation_id=automation)
    return {message.channel: message for message in messages}


def test_order_is_confirmed_in_inbox_and_email_in_the_language_of_the_customer():
    noor, identifier = guest("nl")

    record_event(
        noor,
        "Order Completed",
        "order:LK-1",
        identifier,
        order_id="LK-1",
        currency="EUR",
        total="80.00",
        visit_date="2027-04-25",
        visit_time="10:00",
        products=[{"line_id": "a", "name": "Dagkaart", "quantity": 2, "price": "40.00"}],
    )
    work()

    messages = messages_by_channel(noor, "receipt")
    assert set(messages) == {"inbox", "email"}
    for message in messages.values():
        assert message.state in ("accepted", "delivered")
        assert message.subject == "Je bestelling LK-1"
        assert "Dank je wel, Noor." in message.text
        assert "2 × Dagkaart" in message.text
        assert "zondag 25 april" in " ".join(message.text.split())
    assert "/orders/LK-1/" in messages["email"].text


def test_closed_ride_notifies_only_customers_who_visit_today():
    visiting_today, identifier = guest("sv")
    record_event(
        visiting_today,
        "Order Completed",
        "order:A",
        identifier,
        order_id="A",
        total="1",
        visit_date="2027-04-16",
    )
    later, identifier = guest("sv")
    record_event(
        later,
        "Order Completed",
        "order:B",
        identifier,
        order_id="B",
        total="1",
        visit_date="2027-04-25",
    )
    work()

    facts = {"name": "The Night Mail"}
    topics.set_status(key="ride:night-mail", status="down", facts=facts, author_name="lin", now=NOW)
    work()

    assert (
        "The Night Mail är stängd för tillfället"
        in messages_by_channel(visiting_today, "ride-down")["inbox"].text
    )
    assert messages_by_channel(later, "ride-down") == {}


def test_photos_of_a_day_are_one_message_in_the_evening_of_the_customers_zone():
    visiting_today, identifier = guest("nl")
    record_event(
        visiting_today,
        "Order Completed",
        "order:A",
        identifier,
        order_id="A",
        total="1",
        visit_date="2027-04-16",
    )
    for hour, ride in ((1, "The Night Mail"), (3, "Otter Run"), (4, "Otter Run")):
        at = NOW + timedelta(hours=hour)
        record_event(visiting_today, "Photo Taken", "", identifier, at=at, ride=ride)
        work(at)
    assert messages_by_channel(visiting_today, "ride-photos") == {}

    # Six o'clock in Amsterdam.
    work(datetime(2027, 4, 16, 16, tzinfo=UTC))

    (photos,) = messages_by_channel(visiting_today, "ride-photos").values()
    assert photos.subject == "3 foto's van jullie vandaag"
    assert "betrapt bij The Night Mail en Otter Run." in photos.text


def test_callback_request_sends_a_message_and_creates_a_staff_task():
    noor, identifier = guest("da", name="Noor de Wit")

    record_event(
        noor,
        "Callback Requested",
        "request:R-1",
        identifier,
        subject="Vores besøg",
        wanted_at="2027-04-16T12:00:00Z",
    )
    work()

    assert (
        'omkring klokken 14.00 om "Vores besøg"'
        in messages_by_channel(noor, "callback")["inbox"].text
    )
    task = StaffTask.objects.get()
    assert task.title == "Call back Noor de Wit: Vores besøg"


def test_delayed_table_sends_the_new_time_and_then_that_it_is_ready():
    elin, identifier = guest("sv")
    table = {"order_id": "LK-9", "place": "The Long Table"}
    record_event(
        elin, "Order Completed", "order:LK-9", identifier, order_id="LK-9", visit_date="2027-04-16"
    )
    work()

    # On the clock of the guest, whichever clock the kitchen's till has.
    late = {**table, "planned_at": "10:15", "ready_at": "2027-04-16T08:40:00Z"}
    record_event(elin, "Table Delayed", "order:LK-9", identifier, **late)
    work()
    record_event(elin, "Table Ready", "order:LK-9", identifier, **table, held_until="10:50")
    work()

    message = messages_by_channel(elin, "table-late")["inbox"]
    assert message.subject == "Ditt bord är klart klockan 10:40"
    assert "The Long Table, som var bokat till klockan 10:15, blir klart omkring" in message.text
    ready = messages_by_channel(elin, "table-ready")["inbox"]
    assert "Ditt bord på The Long Table är klart." in ready.text
    assert "till klockan 10:50" in ready.text


def test_table_of_another_customers_order_sends_nothing():
    elin, identifier = guest("sv")

    record_event(
        elin, "Table Ready", "order:LK-9", identifier, order_id="LK-9", place="The Long Table"
    )
    work()

    assert messages_by_channel(elin, "table-ready") == {}


def test_offer_goes_only_to_customers_who_consented():
    willing, _ = guest("en")
    silent, _ = guest("en")
    notice = Notice.objects.get(purpose="offers", language="en").digest
    statement = ConsentStatement(
        kind="consent.given",
        subject="offers",
        notice=notice,
        language="en",
        evidence={"kind": "click"},
        occurred_at=NOW,
    )
    author = ChangeAuthor(factories.sender())
    consent.record_statements(
        customer_id=willing.id, statements=[statement], author=author, now=NOW
    )

    # Thursday, five in the afternoon in the park.
    work(at=datetime(2027, 4, 22, 15, tzinfo=UTC))

    assert "children up to 11" in " ".join(
        messages_by_channel(willing, "offer")["email"].text.split()
    )
    assert messages_by_channel(silent, "offer") == {}
