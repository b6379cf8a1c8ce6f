from datetime import timedelta

import pytest

from customers.models import ControlEntry, Customer, Event
from tests import factories
from tests.customers.saying import (
    NOTICE,
    control_of,
    give,
    house,
    say,
    withdraw,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db

NOOR = ("user_id", "noor")


@pytest.fixture
def noor():
    house()
    return factories.customer(NOOR, ("email", "noor@example.com"))


def test_a_consent_is_on_the_ledger_on_the_log_and_in_force(noor):
    said = say(noor.id, give())

    entry = ControlEntry.objects.get()
    event = Event.objects.get(kind="control")
    kept = control_of(noor.id)
    assert said == ((entry.entry_id,), noor.id, event.version)
    assert (entry.record_id, entry.seq, entry.version) == (noor.id, 1, event.version)
    assert event.name == "Consent Given"
    assert event.body["properties"] == {
        "entry": str(entry.entry_id),
        "subject": "offers",
        "purpose": "offers",
    }
    assert kept.granted == ["offers"]
    assert kept.state["consents"]["offers"]["notice"] == NOTICE
    assert Customer.objects.get(id=noor.id).version == event.version


def test_of_two_words_said_at_the_same_moment_one_after_the_other_the_later_one_stands(noor):
    say(noor.id, give())
    say(noor.id, withdraw())
    assert control_of(noor.id).granted == []

    say(noor.id, give())

    assert control_of(noor.id).granted == ["offers"]


def test_a_clock_that_is_behind_does_not_put_a_withdrawal_before_the_consent(noor):
    say(noor.id, give(), now=NOON)

    say(noor.id, withdraw(), now=NOON - timedelta(seconds=2))

    assert control_of(noor.id).granted == []
    assert control_of(noor.id).state["consents"]["offers"]["state"] == "withdrawn"
