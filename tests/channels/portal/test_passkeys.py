"""Passkeys at the portal: the sign-in, and the passkeys on the page of addresses."""

import json
import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from customers.models import Passkey
from tests.authenticator import Authenticator
from tests.channels.portal.test_addresses import BOX, NEW, Visitor
from tests.customers.identity.company import WireSource
from tests.customers.identity.passkey_app import PasskeySession
from tests.security.test_address_changes import link_for, press

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]


@pytest.fixture
def noor():
    shop = WireSource("Shop", "site", ids="shop")
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")
    return Visitor(BOX)


@pytest.fixture
def phone(noor):
    phone = Authenticator()
    assert "The passkey was added." in _add(noor, phone).content.decode()
    return phone


def _add(visitor: Visitor, device: Authenticator):
    options = visitor.post("/api/me/passkeys/options/").json()["publicKey"]
    credential = json.dumps(device.create(options))
    return visitor.step("add-passkey", credential=credential, name="<b>My phone</b>")


def _options(client: Client) -> dict:
    answer = client.post("/sign-in/passkey/options/")
    assert answer.status_code == 200
    return answer.json()["publicKey"]


def _sign_in(client: Client, device: Authenticator, options: dict, **fields: str):
    credential = json.dumps(device.sign(options))
    return client.post("/sign-in/passkey/", {"credential": credential, **fields})


def test_passkey_signs_in_and_shows_the_page_that_was_asked_for(phone):
    client = Client()

    answer = _sign_in(client, phone, _options(client), next="/orders/")

    assert answer.headers["Location"] == "/orders/"
    assert "A-1" in client.get("/orders/").content.decode()


def test_page_after_the_sign_in_is_never_that_of_another_site(phone):
    client = Client()

    answer = _sign_in(client, phone, _options(client), next="https://evil.example/")

    assert answer.headers["Location"] == "/"


def test_sign_in_gets_a_new_session_key(phone):
    client = Client()
    options = _options(client)
    before = client.session.session_key

    _sign_in(client, phone, options)

    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert client.session.get_expiry_age() > 24 * 60 * 60


def test_session_of_a_visitor_ends_with_its_challenge():
    client = Client()
    _options(client)

    assert client.session.get_expiry_age() <= 300


def test_challenge_of_another_browser_is_refused(phone):
    client, other = Client(), Client()
    options = _options(client)
    _options(other)

    page = _sign_in(other, phone, options)

    assert page.status_code == 403
    assert "This passkey does not open anything here." in page.content.decode()
    assert other.get("/orders/").status_code == 302
    assert _sign_in(Client(), phone, options).status_code == 403


def test_sign_in_from_another_site_is_refused(phone):
    client = Client(enforce_csrf_checks=True)

    assert client.post("/sign-in/passkey/options/").status_code == 403
    assert client.post("/sign-in/passkey/", {"credential": "{}"}).status_code == 403


@pytest.mark.parametrize("credential", ["", "{", "[]", "1", "[" * 9000, "{}" + " " * 30_000])
def test_unreadable_answer_gets_the_form_again(credential, db):
    page = Client().post("/sign-in/passkey/", {"credential": credential})

    assert page.status_code == 403
    assert "Sign in with a code instead." in page.content.decode()


def test_page_lists_renames_and_removes_passkeys_without_scripts(noor, phone):
    passkey_id = Passkey.objects.get().pk
    assert "&lt;b&gt;My phone&lt;/b&gt;" in noor.text()

    renamed = noor.step("rename-passkey", address=passkey_id, name="Tablet")
    assert "The name is saved." in renamed.content.decode()
    removed = noor.step("remove-passkey", address=passkey_id).content.decode()

    assert "The passkey was removed." in removed
    assert "You have no passkey yet." in removed
    again = noor.step("remove-passkey", address=passkey_id)
    assert (again.status_code, "This passkey is not there" in again.content.decode()) == (422, True)


def test_page_offers_a_code_instead_of_a_passkey_after_some_minutes(noor, phone):
    session = noor.session
    session["signed_in_at"] -= 3600
    session.save()

    page = noor.text()

    assert 'id="passkey-creation"' not in page
    assert "To add a passkey, first confirm noor@example.com with a code." in page


def test_stale_form_adds_no_passkey(noor):
    options = noor.post("/api/me/passkeys/options/").json()["publicKey"]
    session = noor.session
    session["signed_in_at"] -= 3600
    session.save()

    page = noor.step("add-passkey", credential=json.dumps(Authenticator().create(options)))

    assert page.status_code == 422
    assert "Confirm your address with a code first." in page.content.decode()
    assert not Passkey.objects.exists()


def test_forms_are_hidden_without_scripts(noor):
    form = re.compile(r'<form[^>]*id="passkey-[^>]*hidden>')

    assert form.search(noor.text())
    assert form.search(Client().get("/sign-in/").content.decode())
    assert form.search(Client().get("/").content.decode())


def test_earlier_passkey_decides_about_a_stopped_change(noor, phone):
    session = noor.session
    session["signed_in_at"] -= 3600
    session.save()
    noor.add(NEW)
    press(link_for(BOX))
    assert "Let the change go on" not in noor.text()
    visitor = Client()
    _sign_in(visitor, phone, _options(visitor))
    page = visitor.get("/accounts/").content.decode()
    change_id = re.search(r'id="change-(\d+)"', page)[1]
    assert "Let the change go on" in page

    answer = visitor.post("/accounts/", {"step": "release", "address": change_id})

    assert "The change goes on." in answer.content.decode()
    assert PasskeySession(phone).listed()["changes"][0]["state"] == "pending"
