"""An erased account under an equal number of its space, and in items that are no events."""

import json
from datetime import timedelta

import pytest

from customers.actions import erasure
from customers.models import Identifier, QuarantinedItem
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import START, WireSource, email, record_of
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

BOX = "noor@example.com"


@pytest.fixture
def app():
    return WireSource("App", ids="app")


@pytest.fixture
def noor(shop, app):
    """The record of an erased customer of two sources with an order."""
    shop.identify(1, "noor", email=BOX, name="Noor")
    app.identify(2, "7", email=BOX)
    shop.order(3, "A-1", "noor")
    record = record_of(email(BOX))
    erase(email(BOX))
    yield record
    assert misplaced_identifiers() == []


def erase(identifier):
    erasure.erase(
        customer_id=record_of(identifier),
        reason="asked by letter",
        actor="staff:pia",
        now=START + timedelta(hours=10),
    )


def send(source, body):
    """Send a batch with faulty items."""
    return WsgiClient().post(
        "/v1/batch",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {source.key}"},
    )


def test_equal_number_of_another_source_of_a_named_space_is_the_erased_account(noor, app):
    other = WireSource("Kiosk app", ids="app")

    assert other.identify(11, "7", name="Noor") == "erased;count=1"
    assert other.identify(5, "7", name="Noor") == "erased;count=1"

    assert not Identifier.objects.filter(value=other.account("7")[1]).exists()


def test_source_that_enters_a_named_space_after_the_erasure_knows_the_erased_account(noor):
    later = WireSource("Later app", ids="app")

    assert later.identify(11, "7", name="Noor") == "erased;count=1"


def test_equal_number_is_accepted_once_the_erased_customer_returned(noor, app):
    other = WireSource("Kiosk app", ids="app")
    app.order(11, "B-1", "7")

    assert other.identify(12, "7", name="Noor") == ""
    assert other.identify(5, "7", name="Noor") == "erased;count=1"

    assert record_of(other.account("7")) == record_of(app.account("7"))
    assert record_of(app.account("7")) != noor


def test_equal_number_of_another_customer_is_accepted_after_the_erasure(app):
    other = WireSource("Kiosk app", ids="app")
    other.identify(2, "7", email="sam@example.com")
    app.identify(2, "7", email=BOX)
    erase(email(BOX))

    assert other.identify(11, "7", name="Sam") == ""


def test_equal_number_of_the_space_that_nobody_named_is_another_customer(shop):
    first, second = WireSource("Site"), WireSource("Box office")
    first.identify(1, "7", email="sam@example.com")
    erase(email("sam@example.com"))

    assert second.identify(11, "7", name="Eli") == ""


@pytest.mark.parametrize(
    "fault",
    [
        {"type": "order", "userId": "noor"},
        {"type": "order", "userId": "noor", "traits": {"deep": [[[]]] * 100}},
        {"type": "order", "traits": {"Email": BOX}},
        {"type": "order", "properties": {"order_id": "A-1"}},
        {"type": "order", "context": {"externalIds": [{"type": "user_id", "id": "noor"}]}},
    ],
)
def test_item_about_an_erased_customer_that_cannot_become_an_event_is_not_kept(noor, shop, fault):
    event = shop.event("identify", 11) | fault

    response = send(shop, json.dumps({"batch": [event]}).encode())

    assert response.json() == {"success": True, "refused": [{"index": 0, "reason": "erased"}]}
    assert (response["Butler-Quarantined"], response["Butler-Warnings"]) == ("0", "erased;count=1")
    assert not QuarantinedItem.objects.exists()


def test_item_about_an_erased_customer_with_broken_json_is_not_kept(noor, shop):

    response = send(
        shop, b'{"batch": [{"type": "identify", "userId": "noor", "traits": {"x": 1e}}]}'
    )

    assert response["Butler-Quarantined"] == "0"
    assert not QuarantinedItem.objects.exists()


def test_item_about_another_customer_that_cannot_become_an_event_is_kept(noor, shop):
    event = shop.event("identify", 11, "sam") | {"type": "order"}

    response = send(shop, json.dumps({"batch": [event]}).encode())

    assert response["Butler-Quarantined"] == "1"
    assert QuarantinedItem.objects.count() == 1
