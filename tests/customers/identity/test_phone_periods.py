"""The period of a phone ends when it leaves the last holder of its record, by any pair of the record."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers import rebuild
from customers.identity import decisions, rebuilding
from customers.models import Identifier
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.address_app import AddressApp
from tests.customers.identity.calls import call
from tests.customers.identity.company import WireSource, record_of
from tests.customers.identity.signed_in import SignedIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sent_texts")]

BOX, OTHER_BOX, PHONE = "noor@example.com", "bram@example.com", "+31612345098"


@pytest.fixture(autouse=True)
def _no_limits(settings):
    settings.BUTLER_CODES_PER_ADDRESS = settings.BUTLER_CODES_PER_NETWORK = 1000
    yield
    assert misplaced_identifiers() == []
    assert all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())
    identifiers = dict(Identifier.objects.order_by("pk").values_list("pk", "customer_id"))
    assert rebuilding.rebuild_identities(identifiers, now=timezone.now()).changed == 0


@pytest.fixture
def shop():
    shop = WireSource("Shop", "site", ids="shop", addresses="checked")
    shop.identify(1, "noor", email=BOX)
    return shop


@pytest.fixture
def noor(shop):
    """A customer who proved her phone beside her mailbox, and was called before."""
    noor = AddressApp(BOX)
    noor.add(PHONE)
    call("C-1", PHONE, hour=2)
    return noor


def separate(kind: str, value: str, *, days: float = 0):
    ids = [
        Identifier.objects.filter(kind=kind_, value__endswith=value_).earliest("period").pk
        for kind_, value_ in (("phone", PHONE), (kind, value))
    ]
    now = timezone.now() + timedelta(days=days)
    return decisions.decide("separate", *sorted(ids), actor="staff:lin", now=now)


def past_of_next_holder() -> int:
    """Return how many calls a customer sees who proves the phone now."""
    bram = AddressApp(OTHER_BOX)
    bram.add(PHONE)
    sessions = bram, SignedIn(OTHER_BOX), SignedIn(PHONE)
    return sum(session.timeline().count("Call Started") for session in sessions)


@pytest.mark.parametrize(("kind", "value"), [("user_id", "noor"), ("email", BOX)])
def test_separation_from_one_identifier_of_a_record_ends_the_period(noor, kind, value):
    separate(kind, value)

    assert past_of_next_holder() == 0
    assert record_of(("phone", PHONE)) != record_of(("email", BOX))


@pytest.mark.parametrize(("kind", "value"), [("user_id", "noor"), ("email", BOX)])
def test_account_that_also_states_the_phone_keeps_no_period(noor, shop, kind, value):
    shop.identify(3, "noor", email=BOX, phone=PHONE)

    separate(kind, value)

    assert past_of_next_holder() == 0
