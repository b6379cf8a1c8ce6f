"""Passkeys of a customer: create, list, rename, remove, and sign in with them."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from fido2.utils import websafe_decode

from customers.actions import passkey_notices, passkeys
from customers.actions.attempt_limits import AttemptLimit
from customers.actions.sign_in import delete_expired
from customers.api import passkey_sign_in
from customers.models import Passkey, PasskeyChallenge, User
from tests import texts
from tests.authenticator import Authenticator
from tests.customers.identity.passkey_app import (
    PasskeyApp,
    PasskeySession,
    send,
    sign_in,
    sign_in_options,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

BOX, OTHER, PHONE = "noor@example.com", "eli@example.com", "+31612345678"


@pytest.fixture
def noor(account):
    return PasskeyApp(BOX)


def test_passkey_opens_what_a_code_opens(noor):
    phone = noor.create_passkey()

    session = PasskeySession(phone)

    assert session.token != noor.token
    assert session.orders() == noor.orders() == ["A-1"]
    assert session.identifiers() == noor.identifiers()


def test_options_for_a_new_passkey_ask_for_a_discoverable_one_with_user_verification(noor):
    options = noor.creation_options()

    assert options["rp"] == {"id": "localhost", "name": "Larkmoor"}
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert options["user"]["name"] == BOX
    assert len(websafe_decode(options["challenge"])) == 32


def test_login_keeps_its_random_user_handle(noor):
    handle = noor.creation_options()["user"]["id"]

    assert noor.creation_options()["user"]["id"] == handle
    assert len(websafe_decode(handle)) == 32
    assert PasskeyApp(OTHER).creation_options()["user"]["id"] != handle


def test_options_exclude_the_passkeys_that_the_login_has(noor):
    phone = noor.create_passkey()

    [excluded] = noor.creation_options()["excludeCredentials"]

    assert websafe_decode(excluded["id"]) == phone.credential_id
    assert excluded["transports"] == ["hybrid", "internal"]


def test_options_to_sign_in_name_no_passkey(noor):
    noor.create_passkey()

    options = sign_in_options()["publicKey"]

    assert options.keys() == {"challenge", "rpId", "userVerification", "timeout"}
    assert options["userVerification"] == "required"


def test_list_shows_name_and_times(noor):
    phone = noor.create_passkey(is_synced=True)
    sign_in(phone)

    [row] = noor.passkeys()

    assert (row["name"], row["is_synced"]) == ("My phone", True)
    assert row["created_at"] <= row["last_used_at"]


def test_passkey_gets_another_name_on_one_line(noor):
    noor.create_passkey()
    [row] = noor.passkeys()

    answer = noor.passkey_request("patch", f"{row['id']}/", {"name": " Old\nphone\u202e  "})

    assert answer.json()["name"] == noor.passkeys()[0]["name"] == "Old phone"


def test_removed_passkey_opens_nothing(noor):
    phone = noor.create_passkey()

    answer = noor.passkey_request("delete", f"{noor.passkeys()[0]['id']}/")

    assert answer.status_code == 204
    assert noor.passkeys() == []
    assert sign_in(phone).status_code == 403


def test_removal_ends_the_sessions_that_the_passkey_opened_and_no_others(noor):
    lost, tablet = PasskeySession(noor.create_passkey()), PasskeySession(noor.create_passkey())

    noor.passkey_request("delete", f"{noor.passkeys()[0]['id']}/")

    assert not lost.is_open()
    assert tablet.is_open()
    assert noor.is_open()


def test_session_that_removes_its_own_passkey_stays_open(noor):
    session = PasskeySession(noor.create_passkey())

    session.passkey_request("delete", f"{session.passkeys()[0]['id']}/")

    assert session.is_open()


def test_mailbox_is_told_about_added_and_removed_passkeys(noor):
    before = len(mail.outbox)
    noor.create_passkey()
    noor.passkey_request("delete", f"{noor.passkeys()[0]['id']}/")

    added, removed = mail.outbox[before:]

    assert (added.to, added.subject) == ([BOX], "A passkey was added")
    assert (removed.to, removed.subject) == ([BOX], "A passkey was removed")
    assert "My phone" in added.body
    assert "/accounts/" in added.body


def test_without_the_notice_there_is_no_passkey(noor, monkeypatch):
    def fail(*args: object) -> None:
        raise smtplib.SMTPServerDisconnected

    options = noor.creation_options()
    monkeypatch.setattr(passkey_notices, "send_mail", fail)

    answer = noor.offer(Authenticator().create(options))

    assert answer.status_code == 503
    assert noor.passkeys() == []


def test_failing_mail_server_does_not_keep_a_passkey_from_being_removed(noor, monkeypatch):
    def fail(*args: object) -> None:
        raise smtplib.SMTPServerDisconnected

    noor.create_passkey()
    monkeypatch.setattr(passkey_notices, "send_mail", fail)

    answer = noor.passkey_request("delete", f"{noor.passkeys()[0]['id']}/")

    assert answer.status_code == 204


def test_login_has_a_limited_number_of_passkeys(noor, monkeypatch):
    monkeypatch.setattr(passkeys, "_MAX_PASSKEYS", 1)
    options = noor.creation_options()
    noor.create_passkey()

    assert noor.passkey_request("post", "options/", {}).status_code == 409
    assert noor.offer(Authenticator().create(options)).status_code == 409


def test_signing_out_everywhere_keeps_the_passkeys(noor):
    phone = noor.create_passkey()
    earlier = PasskeySession(phone)

    PasskeyApp(BOX)._client.delete("/api/me/sessions/")

    assert not earlier.is_open()
    assert PasskeySession(phone).is_open()


def test_counter_of_signatures_goes_up(noor):
    phone = noor.create_passkey(count=3)

    assert [sign_in(phone).status_code for _ in range(2)] == [200, 200]
    assert Passkey.objects.get().sign_count == 5


def test_passkey_session_is_no_fresh_proof_of_the_mailbox(noor):
    session = PasskeySession(noor.create_passkey())

    assert session.passkey_request("post", "options/", {}).status_code == 403
    assert session.add("noor.new@example.com")["state"] == "pending"


def test_code_in_a_passkey_session_allows_another_passkey(noor):
    session = PasskeySession(noor.create_passkey())
    session.add(BOX)

    session.create_passkey()

    assert len(noor.passkeys()) == 2


def test_used_and_expired_challenges_are_deleted(noor):
    sign_in_options()
    PasskeyChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    delete_expired(now=timezone.now())

    assert not PasskeyChallenge.objects.exists()


def test_too_many_challenges_of_a_network_are_refused(monkeypatch, db):
    monkeypatch.setattr(passkey_sign_in, "_CHALLENGES", AttemptLimit("few", 1))
    send("options/", {})

    answer = send("options/", {})

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert answer["RateLimit-Policy"] == '"attempts";q=1;w=900'
    assert answer["RateLimit"] == f'"attempts";r=0;t={answer["Retry-After"]}'


@pytest.mark.usefixtures("sent_texts")
def test_passkey_of_a_phone_opens_what_its_code_opens(shop):
    shop.order(3, "P-1", phone=PHONE)
    session = PasskeyApp(PHONE)

    device = session.create_passkey()

    assert PasskeySession(device).orders() == session.orders()
    assert PasskeySession(device).identifiers() == session.identifiers()
    assert texts.sent[-1].number == PHONE
    assert texts.sent[-1].body.startswith("A passkey was added to your sign-in at Larkmoor.")


def test_keys_and_staff_have_no_passkeys(desk, lin):
    assert desk.get("/api/me/passkeys/").status_code == 403
    assert lin.get("/api/me/passkeys/").status_code == 404
    assert not User.objects.exclude(passkey_handle=None).exists()
