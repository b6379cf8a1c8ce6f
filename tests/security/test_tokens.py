"""Tokens of Butler cannot be forged, changed, or used for another purpose.

Links that end messages: tests/channels/test_unsubscribe.py. Cookies that Django signs:
tests/channels/live/test_access.py. Receipts: tests/customers/test_verify_receipt.py.
"""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.utils import timezone

from channels import unsubscribe
from channels.console.views.access import PASSWORD_CHECK
from channels.live import tickets
from channels.models import StreamTicket
from customers.access import keys
from customers.actions import sign_in, sign_in_codes, staff_sign_in
from customers.models import User
from customers.queries.pages import BadCursor, read_cursor, write_cursor
from tests import factories, staff

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_hashes"),
]


def flips(text: str):
    """Every text that differs in one bit and is still one of Unicode."""
    for place, sign in enumerate(text):
        for bit in range(7):
            changed = chr(ord(sign) ^ (1 << bit))
            if changed != "\x00":
                yield text[:place] + changed + text[place + 1 :]


def test_changed_handle_is_refused():
    now = timezone.now()
    issued_code = sign_in_codes.issue_code(email="noor@example.com", network="192.0.2.1", now=now)

    for handle in (
        *flips(issued_code.handle),
        issued_code.handle[:-1],
        issued_code.handle + "=",
        "",
    ):
        with pytest.raises(sign_in.WrongCode):
            sign_in.verify_code(handle=handle, code=issued_code.code, language="en", now=now)
    # All those guesses were of nothing: the right one still counts.
    assert sign_in.verify_code(
        handle=issued_code.handle, code=issued_code.code, language="en", now=now
    )


def test_code_of_another_handle_is_refused():
    now = timezone.now()
    first_code = sign_in_codes.issue_code(email="noor@example.com", network="192.0.2.1", now=now)
    second_code = sign_in_codes.issue_code(email="eli@example.com", network="192.0.2.1", now=now)
    if first_code.code == second_code.code:
        second_code = sign_in_codes.issue_code(
            email="eli@example.com", network="192.0.2.1", now=now
        )

    for handle, code in (
        (first_code.handle, second_code.code),
        (second_code.handle, first_code.code),
    ):
        with pytest.raises(sign_in.WrongCode):
            sign_in.verify_code(handle=handle, code=code, language="en", now=now)


def test_changed_stream_ticket_is_refused():
    tickets.issue(session_key="s" * 32, now=timezone.now())
    ticket = "a" * 32
    StreamTicket.objects.update(digest=keys.digest(ticket))

    assert not any(
        StreamTicket.objects.filter(digest=keys.digest(changed)).exists()
        for changed in flips(ticket)
    )
    stored_digest = bytes(StreamTicket.objects.get().digest)
    # A reader of the table cannot use its contents as a ticket.
    assert ticket.encode() not in stored_digest
    assert len(stored_digest) == 32


def test_token_of_one_purpose_is_refused_for_another(client):
    noor = factories.customer(("email", "noor@example.com"))
    user = User.objects.create_user("noor@example.com", record=noor)
    client.force_login(user)
    now = timezone.now()
    tokens = {
        "session": client.session.session_key,
        "ticket": tickets.issue(session_key=client.session.session_key, now=now),
        "handle": sign_in_codes.issue_code(email="noor@example.com", network="", now=now).handle,
        "link": unsubscribe.sign_token(
            unsubscribe.UnsubscribeScope(noor.pk, noor.pk, "offers", "")
        ),
        "signed": signing.dumps({"_auth_user_id": str(user.pk)}),
    }

    for name, token in tokens.items():
        if name != "session":
            shown = Client(headers={"X-Session-Token": token})
            assert shown.get("/api/me/").status_code == 401, name
            cookie = Client()
            cookie.cookies["sessionid"] = token
            assert cookie.get("/api/me/").status_code == 401, name
        assert (
            Client(headers={"Authorization": f"Bearer {token}"}).get("/api/me/").status_code == 401
        )
        if name != "link":
            assert Client().post(f"/u/{token}/").status_code == 404, name
        with pytest.raises(sign_in.WrongCode):
            sign_in.verify_code(handle=token, code="000000", language="en", now=now)


def test_changed_cursor_reads_no_foreign_rows(client):
    noor = factories.customer(("email", "noor@example.com"))
    other = factories.customer(("email", "eli@example.com"))
    for number in range(30):
        factories.message(noor, at=factories.NOON + timedelta(minutes=number))
        factories.message(other, at=factories.NOON + timedelta(minutes=number), subject="Eli's")
    client.force_login(User.objects.create_user("noor@example.com", record=noor))
    page = client.get("/api/me/messages/?limit=5").json()
    cursor = re.search(r"cursor=([^&]+)", page["next"])[1]

    for changed in flips(cursor):
        answer = client.get("/api/me/messages/", {"cursor": changed, "limit": 5})
        # A cursor is a place, not a right: a changed one is refused or is another place of ours.
        assert answer.status_code in (200, 400, 422), changed
        assert b"Eli's" not in answer.content


def test_cursor_with_a_wrong_type_is_refused():
    for position in ("x", ["os.system", "id"], {"__class__": "x"}, 1.5, None, [[]] * 50):
        with pytest.raises(BadCursor):
            read_cursor(write_cursor(position), tuple[int, int])


def test_pending_second_factor_is_stored_on_the_server_and_signed():
    sam, max_ = staff.colleague("desk"), staff.colleague("manager", "Max")
    for user in (sam, max_):
        user.set_password("four-words-that-nobody-knows")
        user.save()
    client = Client()
    client.post(
        "/console/sign-in/", {"email": sam.email, "password": "four-words-that-nobody-knows"}
    )
    row = Session.objects.get(pk=client.session.session_key)
    # The cookie is the name of a row and nothing else.
    assert client.cookies["sessionid"].value == row.pk

    # An attacker who can write the table without the key cannot change the user of a sign-in.
    for changed in list(flips(row.session_data))[:: len(row.session_data) // 40 or 1]:
        Session.objects.filter(pk=row.pk).update(session_data=changed)
        assert PASSWORD_CHECK not in Session.objects.get(pk=row.pk).get_decoded()
        assert client.get("/console/sign-in/set-up/")["Location"] == "/console/sign-in/"
        if not Session.objects.filter(pk=row.pk).exists():
            row.save(force_insert=True)
            client.cookies["sessionid"] = row.pk


def test_second_factor_secret_in_plain_text_is_refused():
    now = timezone.now()
    sam, secret = staff.colleague("desk"), staff_sign_in.new_secret()
    staff_sign_in.enroll(user=sam, secret=secret, code=staff_sign_in.totp(secret, now), now=now)
    factor = sam.authenticator_set.get(type="totp")
    factor.data["secret"] = secret
    factor.save()

    # In clear it is refused, as is anything that our key did not write.
    later = now + timedelta(minutes=2)
    with pytest.raises(staff_sign_in.WrongAuthenticatorCode):
        staff_sign_in.check_code(user=sam, code=staff_sign_in.totp(secret, later), now=later)
