"""An address whose holder was erased gets no offers, until somebody proves it and agrees."""

from datetime import timedelta

import pytest

from butler.decisions.decide import decide
from butler.decisions.inputs import read_facts, read_rules
from butler.types import Contact
from customers.actions import erasure
from customers.models import Identifier, Tombstone
from tests import factories
from tests.customers import consent_helpers
from tests.customers.consent_helpers import give, say
from tests.factories import NOON

pytestmark = pytest.mark.django_db

MAILBOX = ("email", "noor@example.com")
ERASED_AT = NOON + timedelta(hours=1)
NOW = NOON + timedelta(hours=2)


@pytest.fixture
def holder():
    """The next customer with the address of an erased customer, who agreed to offers there."""
    consent_helpers.house()
    noor = factories.customer(MAILBOX, ("user_id", "42"))
    say(noor.id, consent_helpers.refuse("surveys"), consent_helpers.give("offers"))
    erasure.erase(customer_id=noor.id, reason="asked", actor="staff:pia", now=ERASED_AT)
    placed = factories.order("B-1", MAILBOX, ("order", "B-1"), at=NOW, visit_date="2026-12-01")
    [customer_id] = factories.owners(factories.record(placed))
    return customer_id


def outcome(customer_id, message_class, **fields):
    act = Contact(
        message_class=message_class,
        topic="visits",
        channel="email",
        occurred_at=NOW,
        expires_at=NOW + timedelta(days=1),
        **fields,
    )
    facts = read_facts([customer_id], now=NOW)[customer_id]
    return decide(act, facts, read_rules(), NOW).code


def offer(customer_id):
    return outcome(customer_id, "marketing", purpose="offers")


def test_offers_to_the_address_stay_refused_and_service_messages_pass(holder):
    by = consent_helpers.author(actor="staff:sam")
    say(holder, give("offers", evidence={"kind": "call"}), by=by, now=NOW)

    assert offer(holder) == "objected"
    assert outcome(holder, "service", relation="order:B-1") == "relation_live"


def test_customer_who_did_not_prove_the_address_cannot_lift_the_refusal(holder):
    say(holder, give("offers"), now=NOW)

    assert offer(holder) == "objected"


def test_customer_who_proved_the_address_lifts_the_refusal_of_her_purpose(holder):
    Identifier.objects.filter(customer_id=holder, kind="email").update(proved_at=NOW)

    say(holder, give("offers"), now=NOW)

    assert offer(holder) == "consent_given"
    assert outcome(holder, "marketing", purpose="surveys") == "objected"


def test_tombstone_of_an_address_names_refused_purposes_and_no_address(holder):
    refused = {tuple(tombstone.refused) for tombstone in Tombstone.objects.all()}

    assert refused == {(), ("offers", "surveys")}


def test_nothing_is_sent_to_the_erased_customer(holder):
    erased = Identifier.objects.get(kind="email", period=0).customer_id

    assert outcome(erased, "legal_duty") == "no_address"
