from datetime import timedelta

import pytest

from customers import rebuild, regroup
from customers.models import Control, ControlEntry, Customer, Event
from tests import factories
from tests.customers.saying import (
    NOTICE,
    control_of,
    give,
    house,
    prefer,
    refuse,
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


def pictures(*customers):
    rows = Control.objects.filter(customer__in=customers).order_by("customer").values()
    return list(rows)


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


def test_a_refusal_on_one_record_survives_a_merge_and_is_given_back_when_parted(noor):
    other = factories.customer(("user_id", "noor-at-the-desk"))
    say(noor.id, give(), prefer("allow", True, channel="email"))
    say(other.id, refuse(), prefer("allow", False))
    before = pictures(noor, other)

    regroup.join(noor.id, other.id, actor="staff:lin", now=NOON)
    [live] = Customer.objects.live()
    joined = control_of(live.id)
    regroup.part(noor.id, other.id, actor="staff:lin", now=NOON)

    assert joined.granted == []
    assert joined.state["consents"]["offers"]["state"] == "refused"
    assert [(s["channel"], s["value"]) for s in joined.state["settings"]] == [
        ("*", False),
        ("email", False),
    ]
    assert pictures(noor, other) == before


def test_a_consent_after_joining_speaks_for_both_and_stays_with_both(noor):
    other = factories.customer(("user_id", "noor-at-the-desk"))
    say(other.id, refuse())
    regroup.join(noor.id, other.id, actor="staff:lin", now=NOON)
    [live] = Customer.objects.live()

    # Said to the record that is not live any more: it is the same customer.
    said = say(({noor.id, other.id} - {live.id}).pop(), give())
    assert said.customer_id == live.id
    assert control_of(live.id).granted == ["offers"]
    regroup.part(noor.id, other.id, actor="staff:lin", now=NOON)

    assert control_of(noor.id).granted == control_of(other.id).granted == ["offers"]


def test_only_the_live_record_has_a_standing(noor):
    other = factories.customer(("user_id", "noor-at-the-desk"))
    say(noor.id, give())
    say(other.id, give())

    regroup.join(noor.id, other.id, actor="staff:lin", now=NOON)

    [live] = Customer.objects.live()
    assert [kept.customer_id for kept in Control.objects.all()] == [live.id]
    assert rebuild.check([live.id]) == []


def test_rebuild_tells_of_a_standing_that_is_not_what_the_ledger_says(noor):
    say(noor.id, refuse())
    Control.objects.update(granted=["offers"])

    assert [one.what for one in rebuild.check([noor.id])] == ["control "]
    rebuild.rebuild([noor.id])

    assert control_of(noor.id).granted == []
