"""Attacks on passkeys: foreign pages, replays, copies, odd bodies, and credentials of other logins."""

import copy
import random
import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from fido2.utils import websafe_decode, websafe_encode

from customers.access import webauthn
from customers.access.webauthn import InvalidCredential
from customers.actions import passkey_notices
from customers.actions.attempt_limits import AttemptLimit
from customers.api import passkey_sign_in
from customers.models import Passkey, PasskeyChallenge
from tests.authenticator import Authenticator
from tests.customers.identity.passkey_app import (
    PasskeyApp,
    PasskeySession,
    is_refused,
    send,
    sign_in,
    sign_in_options,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

BOX, NEW, EVIL = "noor@example.com", "noor.new@example.com", "evil@example.com"


FORGERIES = {
    "page of another origin": {"origin": "https://evil.example"},
    "subdomain of our origin": {"origin": "http://evil.localhost:8000"},
    "other port": {"origin": "http://localhost:8001"},
    "frame in another page": {"is_in_frame": True},
    "passkey of another domain": {"domain": "evil.example"},
    "no user verification": {"verifies_user": False},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_answer_signs_nobody_in(phone, forgery):
    assert is_refused(sign_in(phone.copy(**FORGERIES[forgery])))


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_answer_creates_no_passkey(noor, forgery):
    device = Authenticator(**FORGERIES[forgery])

    answer = noor.offer(device.create(noor.creation_options()))

    assert is_refused(answer)
    assert noor.passkeys() == []


def test_unknown_passkey_and_wrong_key_are_refused_alike(phone):
    stranger = Authenticator(user_handle=phone.user_handle)

    assert is_refused(sign_in(stranger))
    assert is_refused(sign_in(phone.copy(key=stranger.key)))


def test_unknown_passkey_costs_a_signature_check_too(phone, monkeypatch):
    checked = []
    verify = webauthn.Assertion.verify
    monkeypatch.setattr(
        webauthn.Assertion,
        "verify",
        lambda assertion, credential: (checked.append(credential), verify(assertion, credential)),
    )

    sign_in(Authenticator())

    assert len(checked) == 1


def test_answer_counts_once(phone):
    options = sign_in_options()
    proof = {"request": options["request"], "credential": phone.sign(options["publicKey"])}

    assert send("", proof).status_code == 200
    assert is_refused(send("", proof))


def test_simultaneous_answers_count_once(phone):
    options = sign_in_options()
    proof = {"request": options["request"], "credential": phone.sign(options["publicKey"])}
    start = threading.Barrier(4)

    def answer(_: int) -> int:
        start.wait()
        try:
            return send("", proof).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(answer, range(4)))

    assert statuses == [200, 403, 403, 403]


def test_expired_challenge_is_refused(phone):
    options = sign_in_options()
    PasskeyChallenge.objects.update(expires_at=timezone.now())
    proof = {"request": options["request"], "credential": phone.sign(options["publicKey"])}

    assert is_refused(send("", proof))


def test_challenge_of_another_request_is_refused_and_stays_valid(phone):
    options, other = sign_in_options(), sign_in_options()
    credential = phone.sign(options["publicKey"])

    assert is_refused(send("", {"request": other["request"], "credential": credential}))
    assert send("", {"request": options["request"], "credential": credential}).status_code == 200


def test_challenge_that_butler_did_not_make_is_refused(phone):
    options = sign_in_options()
    options["publicKey"]["challenge"] = websafe_encode(b"c" * 32)
    proof = {"request": options["request"], "credential": phone.sign(options["publicKey"])}

    assert is_refused(send("", proof))


def test_challenge_for_a_creation_signs_nobody_in(noor, phone):
    options = noor.creation_options()
    request = {"challenge": options["challenge"], "rpId": "localhost"}

    assert is_refused(send("", {"request": noor.token, "credential": phone.sign(request)}))


def test_challenge_for_a_sign_in_creates_no_passkey(noor):
    options = noor.creation_options()
    options["challenge"] = sign_in_options()["publicKey"]["challenge"]

    assert is_refused(noor.offer(Authenticator().create(options)))


def test_creation_of_another_session_of_the_same_login_is_refused(noor):
    tablet = PasskeyApp(BOX)

    answer = tablet.offer(Authenticator().create(noor.creation_options()))

    assert is_refused(answer)


def test_creation_of_another_login_is_refused(noor):
    """Nobody can talk a victim into storing the attacker's passkey, or the other way round."""
    evil = PasskeyApp(EVIL)
    device = Authenticator()

    assert is_refused(noor.offer(device.create(evil.creation_options())))
    assert is_refused(evil.offer(device.create(noor.creation_options())))


def test_stored_credential_id_cannot_be_created_again(noor, phone):
    evil = PasskeyApp(EVIL)
    thief = Authenticator(credential_id=phone.credential_id)

    answer = evil.offer(thief.create(evil.creation_options()))

    assert is_refused(answer)
    assert PasskeySession(phone).orders() == ["A-1"]


def test_passkey_with_the_user_handle_of_another_login_is_refused(phone):
    own = PasskeyApp(EVIL).create_passkey()

    assert is_refused(sign_in(own.copy(user_handle=phone.user_handle)))
    assert is_refused(sign_in(own.copy(user_handle=b"")))


def test_session_neither_sees_nor_changes_passkeys_of_others(noor, phone):
    evil, passkey_id = PasskeyApp(EVIL), noor.passkeys()[0]["id"]

    assert evil.passkeys() == []
    assert evil.passkey_request("delete", f"{passkey_id}/").status_code == 404
    assert evil.passkey_request("patch", f"{passkey_id}/", {"name": "x"}).status_code == 404
    assert noor.passkeys()[0]["name"] == "My phone"


def test_copy_with_a_lower_counter_is_refused_and_its_mailbox_is_told(noor):
    phone = noor.create_passkey(count=5)
    clone = phone.copy(count=5)
    sign_in(phone)
    sign_in(phone)
    before = len(mail.outbox)

    assert is_refused(sign_in(clone))

    [notice] = mail.outbox[before:]
    assert (notice.to, notice.subject) == ([BOX], "We refused a passkey")
    assert sign_in(phone).status_code == 200


def test_passkey_that_counted_may_not_stop_counting(noor):
    phone = noor.create_passkey(count=5)

    assert is_refused(sign_in(phone.copy(count=None)))


def test_copy_is_refused_also_without_a_mail_server(noor, monkeypatch):
    def fail(*args: object) -> None:
        raise smtplib.SMTPServerDisconnected

    phone = noor.create_passkey(count=5)
    monkeypatch.setattr(passkey_notices, "send_mail", fail)

    assert is_refused(sign_in(phone.copy(count=2)))


def test_creation_without_a_fresh_proof_is_refused(noor):
    options = noor.creation_options()
    noor.age()

    refusals = [
        noor.passkey_request("post", "options/", {}),
        noor.offer(Authenticator().create(options)),
    ]

    assert [answer.status_code for answer in refusals] == [403, 403]
    assert {answer.json()["type"] for answer in refusals} == {"urn:butler:problem:old-proof"}
    assert noor.passkeys() == []


def test_fresh_proof_of_another_mailbox_creates_no_passkey_of_the_login(noor):
    """A thief at an unlocked phone can prove the own mailbox, and not that of the login."""
    noor.age()
    noor.add(EVIL)

    assert noor.passkey_request("post", "options/", {}).status_code == 403


def test_cookie_session_needs_the_token_against_forged_requests(noor):
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = noor.token

    answers = [
        client.post(f"/api/me/passkeys/{path}", {}, content_type="application/json").status_code
        for path in ("", "options/")
    ]

    assert answers == [403, 403]


def test_wrong_answers_of_a_network_are_limited(phone, monkeypatch):
    monkeypatch.setattr(passkey_sign_in, "_WRONG_ANSWERS", AttemptLimit("few", 2))
    stranger = Authenticator()

    statuses = [sign_in(stranger).status_code for _ in range(4)]

    assert statuses == [403, 403, 429, 429]
    assert sign_in(phone).status_code == 429


def test_odd_answers_are_refused_and_never_an_error(noor, phone):
    chance = random.Random(7)
    credential = bytes(Passkey.objects.get().credential)
    signed = phone.sign(sign_in_options()["publicKey"])
    created = Authenticator().create(noor.creation_options())

    assert all(not _is_signed(_mutated(signed, chance), credential) for _ in range(300))
    # Nothing signs a new passkey. A flipped bit may make another valid one, but no error.
    assert {_is_created(_mutated(created, chance)) for _ in range(300)} >= {False}


def _is_signed(odd: dict, credential: bytes) -> bool:
    try:
        webauthn.read_assertion(odd).verify(credential)
    except InvalidCredential:
        return False
    return True


def _is_created(odd: dict) -> bool:
    try:
        webauthn.creation_challenge(odd)
        webauthn.verify_creation(odd)
    except InvalidCredential:
        return False
    return True


@pytest.mark.parametrize("credential", [{}, {"id": 1}, {"response": []}, {"rawId": "x" * 20_000}])
def test_body_without_a_credential_is_refused(noor, credential):
    options = sign_in_options()

    assert is_refused(send("", {"request": options["request"], "credential": credential}))
    assert is_refused(noor.offer(credential))


# Parts that WebAuthn signs nowhere. Butler compares the user handle by itself.
_FREE = ("type", "id", "clientExtensionResults", "userHandle", "transports")


def _mutated(credential: dict, chance: random.Random) -> dict:
    """Return the credential with one part cut, flipped or of another type."""
    odd = copy.deepcopy(credential)
    part = chance.choice([odd, odd["response"]])
    name = chance.choice([name for name in part if name not in _FREE])
    value = part[name]
    if not isinstance(value, str) or chance.random() < 0.2:
        part[name] = chance.choice([None, 1, [], {}, "", "=", "\u0000", "é"])
        return odd
    raw = bytearray(websafe_decode(value))
    position = chance.randrange(len(raw))
    raw[position] ^= 1 << chance.randrange(8)
    part[name] = websafe_encode(bytes(raw[:position] if chance.random() < 0.3 else raw))
    return odd
