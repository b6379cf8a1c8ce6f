"""A device of several customers whose own record is erased."""

from datetime import timedelta

import pytest
from msgspec import structs

from customers import rebuild
from customers.actions import erasure
from customers.identity.identifier_keys import stored_account
from customers.models import Identifier, Link
from tests import factories
from tests.customers.graph import misplaced_identifiers, misplaced_orders, spanning_groups
from tests.customers.identity.company import record_of
from tests.factories import NOON, identify, incoming_event, record

pytestmark = pytest.mark.django_db

LAPTOP = ("anonymous_id", "laptop")


@pytest.fixture
def app():
    return factories.sender()


@pytest.fixture
def shared_laptop(app):
    """A device with a record of its own, which two signed-in customers use."""
    record(incoming_event(LAPTOP), by=app)
    for account in ("1", "2"):
        sign_in(account, app)
    laptop = Identifier.objects.get(kind=LAPTOP[0])
    assert laptop.is_shared
    yield laptop
    assert misplaced_identifiers() == misplaced_orders() == spanning_groups() == []
    assert all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())


def sign_in(account, app, at=NOON):
    """Send an event of the device with the token of a customer."""
    page = structs.replace(app, is_trusted=False)
    event = identify(LAPTOP, at=at)
    record(structs.replace(event, proved_identifier=stored_account(account, page)), by=page)


def erase(record_id, hour=1):
    now = NOON + timedelta(hours=hour)
    erasure.erase(customer_id=record_id, reason="asked", actor="staff:pia", now=now)


def test_erased_device_of_two_customers_is_no_longer_shared(shared_laptop):
    erase(shared_laptop.customer_id)

    shared_laptop.refresh_from_db()
    assert shared_laptop.erasure_id
    assert not shared_laptop.is_shared


def test_links_of_an_erased_device_do_nothing(shared_laptop):
    erase(shared_laptop.customer_id)

    states = Link.objects.filter(second=shared_laptop) | Link.objects.filter(first=shared_laptop)
    assert set(states.values_list("state", flat=True)) == {"filed"}


def test_erasing_one_customer_attaches_the_device_to_the_other(shared_laptop, app):
    erase(record_of(("user_id", f"{app.source_id}/1")))

    shared_laptop.refresh_from_db()
    assert not shared_laptop.is_shared
    assert shared_laptop.customer_id == record_of(("user_id", f"{app.source_id}/2"))
