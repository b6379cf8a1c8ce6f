"""The five attacks of Sudhodanan and Paverd (arXiv 2205.10174): an attacker prepares an account
for an address, and waits for its owner to come."""

import pytest

from customers.models import Customer, Event, Identifier, User
from tests import factories

ADDRESS = "noor@example.com"

pytestmark = pytest.mark.django_db(transaction=True)


def test_classic_federated_merge(anybody, sign_in_as):
    """A login that an attacker opened with a password is worth nothing after the proof."""
    trap = User.objects.create_user(ADDRESS, "the attacker's password")

    sign_in_as()

    trap.refresh_from_db()
    assert not trap.has_usable_password()
    assert not anybody.client.login(username=ADDRESS, password="the attacker's password")


def test_unexpired_session(anybody, sign_in_as):
    """A session from before the proof ends with it."""
    trap = User.objects.create_user(ADDRESS, "the attacker's password")
    anybody.client.force_login(trap, "django.contrib.auth.backends.ModelBackend")
    assert anybody.client.get("/api/me/sessions/").status_code == 200

    sign_in_as()

    assert anybody.client.get("/api/me/sessions/").status_code == 401


def test_trojan_identifier(anybody, sign_in_as):
    """An identifier that an attacker claimed together with the address gives no access."""
    app = factories.sender(trusted=False)
    trojan = [("anonymous_id", "evil"), ("email", ADDRESS), ("phone", "+31612345678")]
    claimed = factories.customer(*trojan, by=app)

    mine = anybody.get("/api/me/", **sign_in_as()).json()
    factories.record(factories.incoming_event(("anonymous_id", "evil"), ("email", ADDRESS)), by=app)

    after = Customer.objects.get(id=mine["id"])
    assert mine["id"] != str(claimed.id)
    assert after.version == mine["version"]
    assert [identifier["kind"] for identifier in mine["identifiers"]] == ["email"]


def test_unexpired_address_change(anybody, sign_in_as):
    """There is no way to change the address of a login, so none can be left pending."""
    token = sign_in_as("evil@example.com")

    answers = [
        anybody.send(method, path, {"email": ADDRESS}, **token).status_code
        for method in ("POST", "PUT", "PATCH")
        for path in ("/_allauth/app/v1/account/email", "/api/me/", "/api/me/email/")
    ]

    assert set(answers) <= {404, 405}


def test_non_verifying_identity_provider(anybody, sign_in_as):
    """A provider that vouches for an address without proof only claims it."""
    provider = factories.sender(trusted=False)
    vouched = factories.customer(("user_id", "evil"), ("email", ADDRESS), by=provider)

    mine = anybody.get("/api/me/", **sign_in_as()).json()

    assert mine["id"] != str(vouched.id)
    assert Identifier.objects.get(kind="email", value=ADDRESS, evidence=1).customer is None
    assert Identifier.objects.get(kind="user_id", evidence=1).customer == vouched
    assert not Event.objects.filter(customer_id=vouched.id, name="Address Proved").exists()
