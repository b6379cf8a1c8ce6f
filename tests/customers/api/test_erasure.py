"""Staff with the right erase a customer, and nobody else does."""

import uuid

import pytest
from django.test import Client

from customers.models import Erasure, Event, Identifier, Tombstone, User
from tests import factories
from tests.staff import colleague, let_in

pytestmark = pytest.mark.django_db

MAILBOX = ("email", "noor@example.com")


@pytest.fixture
def noor():
    return factories.customer(MAILBOX, ("user_id", "42"), name="Noor")


@pytest.fixture
def officer():
    return let_in(Client(), colleague("privacy officer", "Pia"))


def erase(client, customer_id, reason="asked by letter", **headers):
    return client.post(
        f"/api/customers/{customer_id}/erase/",
        {"reason": reason},
        content_type="application/json",
        headers=headers,
    )


def test_privacy_officer_erases_a_customer_once(noor, officer):
    answer, again = erase(officer, noor.id), erase(officer, noor.id, "again")

    assert (answer.status_code, again.status_code) == (201, 200)
    assert answer.json()["customer"] == str(noor.id)
    assert (answer.json()["actor"], answer.json()["reason"]) == ("staff:Pia", "asked by letter")
    assert again.json() == answer.json()
    event = Event.objects.get(name="Customer Erased")
    assert (event.customer_id, event.actor) == (noor.id, "staff:Pia")
    assert Erasure.objects.count() == 1
    assert Tombstone.objects.count() == 2


def test_repeated_request_with_the_same_key_gets_the_first_answer(noor, officer):
    key = {"Idempotency-Key": "erase-noor"}

    answer, again = erase(officer, noor.id, **key), erase(officer, noor.id, **key)

    assert (answer.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("role", ["desk", "manager", "marketer", "till", "overview", ""])
def test_other_staff_may_not_erase(noor, role):
    answer = erase(let_in(Client(), colleague(role)), noor.id)

    assert answer.status_code == 403
    assert not Erasure.objects.exists()


def test_secret_keys_and_customers_may_not_erase(noor, desk):
    assert desk.post(f"/api/customers/{noor.id}/erase/", {"reason": "x"}).status_code == 403
    customer = Client()
    customer.force_login(User.objects.create_user(MAILBOX[1], record=noor))
    assert erase(customer, noor.id).status_code == 403
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("reason", ["", " ", "x" * 201])
def test_erasure_needs_a_reason(noor, officer, reason):
    assert erase(officer, noor.id, reason).status_code == 422


def test_unknown_customer_is_404(officer):
    assert erase(officer, uuid.uuid4()).status_code == 404


def test_login_of_the_erased_customer_no_longer_opens_the_record(noor, officer):
    customer = Client()
    user = User.objects.create_user(MAILBOX[1], record=noor)
    customer.force_login(user)
    assert customer.get("/api/me/").status_code == 200

    erase(officer, noor.id)

    assert customer.get("/api/me/").status_code in (401, 403)
    user.refresh_from_db()
    assert user.record_id is None


def test_decisions_about_erased_identifiers_join_nothing(noor, officer, lin):
    erase(officer, noor.id)
    sam = factories.customer(("email", "sam@example.com"))
    erased = Identifier.objects.get(kind="email", value=MAILBOX[1])

    by_name = {"kind": "merge", "first": "email:noor@example.com", "reason": "x"}
    answer = lin.post(
        f"/api/customers/{sam.id}/decisions/", by_name | {"second": "email:sam@example.com"}
    )
    assert answer.status_code == 409
    own = sam.identifiers.get().pk
    lin.post(f"/api/customers/{sam.id}/decisions/", by_name | {"first": erased.pk, "second": own})
    assert sam.identifiers.get().customer_id == sam.id
