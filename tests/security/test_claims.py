"""A claim is not a proof: claims about another customer give no access and change nothing.

Access of publishable keys to the API: tests/config/test_access.py. Attacks before the first
sign-in of a customer: tests/customers/api/test_pre_hijacking.py.
"""

import uuid

import pytest

from butler.decisions.inputs import read_facts
from channels.sms import inbound
from customers.models import ConsentState, LedgerEntry, Request, Suppression
from tests import factories
from tests.customers import consent_helpers
from tests.factories import NOON

pytestmark = pytest.mark.django_db

EMAIL, PHONE = ("email", "noor@example.com"), ("phone", "+31612345678")


@pytest.fixture(autouse=True)
def _purposes_and_topics():
    consent_helpers.house()


def claimed(*items):
    return factories.record(*items, by=factories.sender(trusted=False))


def test_claimed_address_receives_no_message():
    device = ("anonymous_id", str(uuid.uuid4()))
    receipt = claimed(factories.identify(device, EMAIL, PHONE, email=EMAIL[1], phone=PHONE[1]))
    proved = factories.customer(EMAIL)

    facts = read_facts([receipt.outcomes[0].customer_id, proved.pk], now=NOON)

    assert facts[receipt.outcomes[0].customer_id].addresses == {}
    assert set(facts[proved.pk].addresses) == {"email"}


@pytest.mark.parametrize(
    "name",
    ["Consent Given", "Consent Withdrawn", "Preference Set", "Objection Made", "Address Proved"],
)
@pytest.mark.parametrize("trusted", [True, False])
def test_event_named_like_a_consent_statement_changes_no_consent(name, trusted):
    noor = factories.customer(EMAIL)
    properties = {
        "purpose": "offers",
        "subject": "offers",
        "notice": consent_helpers.NOTICE,
        "value": True,
    }

    factories.record(
        factories.incoming_event(EMAIL, name=name, properties=properties, about="consent:offers"),
        factories.incoming_event(EMAIL, name=name, kind="control", traits=properties),
        by=factories.sender(trusted=trusted),
    )

    assert not LedgerEntry.objects.exists()
    assert not ConsentState.objects.filter(customer=noor).exclude(state={}).exists()


def test_stop_from_a_claimed_number_suppresses_only_that_number(settings):
    settings.SMS_ACCOUNT = {"url": "", "sid": "AC1", "token": "t", "from": "+31201234567"}
    noor = factories.customer(EMAIL)
    claimed(factories.identify(EMAIL, PHONE, phone=PHONE[1]))
    fields = {"MessageSid": "SM1", "From": PHONE[1], "To": "+31201234567", "Body": "STOP"}

    inbound.handle_sms(inbound.parse_sms(fields), now=NOON)

    assert Suppression.objects.filter(address=PHONE[1], lifted_at=None).exists()
    # It is proved on a record of the number's own.
    assert LedgerEntry.objects.exists()
    assert not LedgerEntry.objects.filter(record=noor).exists()
    assert not LedgerEntry.objects.filter(speaks_for__contains=[noor.pk]).exists()
    noor.refresh_from_db()
    assert not noor.identifiers.filter(kind="phone", evidence=2).exists()


def test_claimed_identifier_cannot_request_a_callback():
    factories.customer(EMAIL, PHONE)

    claimed(
        factories.incoming_event(EMAIL, name="Callback Requested", about="request:r1"),
        factories.incoming_event(PHONE, name="Callback Requested", about="request:r2"),
    )

    assert not Request.objects.filter(status="open").exists()
