"""A passkey that is older than a change of address ends the freeze of the change."""

import pytest
from django.core import mail

from tests.customers.identity.passkey_app import (
    PasskeyApp,
    PasskeySession,
)
from tests.security.test_address_changes import advance, link_for, press, stop

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

BOX, NEW, EVIL = "noor@example.com", "noor.new@example.com", "evil@example.com"


def test_earlier_passkey_lets_a_frozen_change_go_on(noor, phone):
    noor.add("old@example.com")
    noor.age()
    noor.add(NEW, replaces="old@example.com")
    link = link_for("old@example.com")
    stop("old@example.com")
    session = PasskeySession(phone)
    change_id = session.listed()["changes"][0]["id"]

    answer = session.request("post", f"changes/{change_id}/release/", {})

    assert answer.status_code == 204
    assert "The change of your addresses goes on" in [message.subject for message in mail.outbox]
    # The link does not stop it again.
    page = press(link).content.decode()
    assert "This link stops nothing any more" in page
    assert "cancelled" not in page
    advance(100)
    assert noor.states()["old@example.com"] != "current"
    assert noor.states()[NEW] == "current"


def test_earlier_passkey_cancels_a_frozen_change(noor, phone):
    noor.age()
    noor.add(EVIL, replaces=BOX)
    stop(BOX)
    session = PasskeySession(phone)
    change_id = session.listed()["changes"][0]["id"]

    assert session.request("delete", f"changes/{change_id}/").status_code == 204

    advance(200)
    assert PasskeyApp(BOX).orders() == ["A-1"]
    assert session.listed()["changes"] == []


def test_later_or_old_passkey_and_a_code_end_no_freeze(noor, phone):
    noor.age()
    noor.add(EVIL, replaces=BOX)
    stop(BOX)
    fresh_code = PasskeyApp(BOX)
    later = PasskeySession(fresh_code.create_passkey())
    left_open = PasskeySession(phone)
    left_open.age_passkey()
    change_id = fresh_code.listed()["changes"][0]["id"]

    for session in (fresh_code, later, left_open):
        release = session.request("post", f"changes/{change_id}/release/", {})
        assert release.status_code == 409
        assert session.request("delete", f"changes/{change_id}/").status_code == 409
