"""Attacks by a change of address: who steals a session, an old mailbox, a code or the time of others."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from butler.models import StaffTask
from customers.models import AddressChange
from tests.customers.identity.address_app import AddressApp, advance
from tests.wsgi_client import WsgiClient

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

BOX, NEW, THIEF = "noor@example.com", "noor.new@example.com", "thief@example.com"


@pytest.fixture
def noor(shop):
    """A customer who signed in an hour ago, and left her phone on the table."""
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")
    app = AddressApp(BOX)
    app.age()
    return app


def link_for(address: str) -> str:
    """Return the path of the link that stops the last change, from the notice to an address."""
    notices = [message for message in mail.outbox if message.to == [address]]
    return re.search(r"/addresses/freeze/\S+", notices[-1].body)[0]


def stop(address: str) -> None:
    assert press(link_for(address)).status_code == 200


def press(link: str):
    """Open the page of a link, tick its box, press its button, and return the answer."""
    return Client().post(link, page_values(link) | {"sure": "yes"})


def page_values(link: str) -> dict[str, str]:
    """Return the hidden values of the page of a link."""
    page = Client().get(link).content.decode()
    return dict(re.findall(r'name="(page)" value="([^"]+)"', page))


def test_unlocked_session_cannot_take_the_account_over_at_once(noor):
    added = noor.add(THIEF, replaces=BOX)

    assert added["state"] == "pending"
    assert noor.remove(BOX).status_code == 409
    assert AddressApp(THIEF).orders() == []
    assert AddressApp(BOX).orders() == ["A-1"]


def test_owner_stops_the_thief_by_the_link_in_the_old_mailbox(noor):
    noor.add(THIEF, replaces=BOX)

    stop(BOX)

    advance(200)
    assert AddressChange.objects.get().state == "frozen"
    assert AddressApp(THIEF).orders() == []
    assert AddressApp(BOX).orders() == ["A-1"]


def test_thief_cannot_start_again_after_a_freeze(noor):
    noor.add(THIEF, replaces=BOX)
    stop(BOX)

    answer = noor.enter(*noor.ask("thief.two@example.com"))

    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:butler:problem:changes-frozen",
    )
    change_id = AddressChange.objects.get().pk
    assert noor.request("delete", f"changes/{change_id}/").status_code == 409


def test_frozen_account_keeps_its_addresses_also_in_a_fresh_session(noor):
    noor.add(THIEF, replaces=BOX)
    stop(BOX)

    answer = AddressApp(BOX).enter(*AddressApp(BOX).ask(NEW))

    assert answer.status_code == 403
    fresh = AddressApp(BOX)
    assert fresh.enter(*fresh.ask(NEW)).status_code == 409


def test_opening_the_link_changes_nothing(noor):
    noor.add(THIEF, replaces=BOX)

    page = Client().get(link_for(BOX))
    head = Client().head(link_for(BOX))

    assert (page.status_code, head.status_code) == (200, 200)
    assert AddressChange.objects.get().state == "pending"


@pytest.mark.parametrize(
    "form", [{}, {"List-Unsubscribe": "One-Click"}, {"page": "forged"}, {"page": ""}]
)
def test_mail_scanner_that_posts_to_the_link_stops_nothing(noor, form):
    noor.add(THIEF, replaces=BOX)

    answer = Client().post(link_for(BOX), form | {"sure": "yes"})

    assert answer.status_code == 200
    assert "Stop this change?" in answer.content.decode()
    assert AddressChange.objects.get().state == "pending"


@pytest.mark.parametrize("box", [{}, {"sure": ""}])
def test_mail_scanner_that_submits_the_form_leaves_the_box_empty_and_stops_nothing(noor, box):
    noor.add(THIEF, replaces=BOX)

    answer = Client().post(link_for(BOX), page_values(link_for(BOX)) | box)

    assert answer.status_code == 422
    assert "Tick the box" in answer.content.decode()
    assert AddressChange.objects.get().state == "pending"
    assert StaffTask.objects.count() == 0


def test_page_of_another_link_stops_nothing(noor):
    noor.add(THIEF, replaces=BOX)

    Client().post(link_for(BOX), page_values(link_for(THIEF)) | {"sure": "yes"})

    assert AddressChange.objects.get().state == "pending"


@pytest.mark.parametrize("token", ["1-1", "1-1:forged", "x" * 5000, "1-1:%00"])
def test_forged_link_stops_nothing(noor, token):
    noor.add(THIEF, replaces=BOX)
    change = AddressChange.objects.get()

    answer = Client().post(
        f"/addresses/freeze/{token.replace('1-1', f'{change.pk}-1')}/", {"sure": "yes"}
    )

    assert answer.status_code == 404
    assert AddressChange.objects.get().state == "pending"


def test_freeze_of_the_former_partner_stops_one_change_and_nothing_else(noor, shop):
    """The old mailbox stops a change: sessions, orders and messages go on."""
    AddressApp(BOX).add(NEW)
    new = AddressApp(NEW)
    assert new.remove(BOX).status_code == 202

    stop(BOX)
    stop(BOX)
    shop.order(3, "A-2", "noor")

    assert AddressChange.objects.count() == StaffTask.objects.count() == 1
    assert new.is_open()
    assert new.orders() == ["A-1", "A-2"]
    assert new.states() == {BOX: "current", NEW: "current"}


def test_link_of_a_finished_change_stops_nothing(noor):
    AddressApp(BOX).add(NEW)
    new = AddressApp(NEW)
    new.remove(BOX)
    link = link_for(BOX)
    advance(73)

    answer = press(link)

    assert answer.status_code == 200
    assert AddressChange.objects.get().state == "applied"
    assert new.states() == {BOX: "removed", NEW: "current"}


def test_code_of_another_handle_confirms_nothing(noor):
    first, _ = noor.ask(THIEF)
    _, code = noor.ask(NEW)

    assert noor.enter(first, code).status_code == 403
    assert noor.states() == {BOX: "current"}


def test_code_that_another_session_asked_for_confirms_nothing(noor):
    """The thief asks for a code to the mailbox of somebody who has a session, too."""
    handle, code = AddressApp(THIEF).ask(NEW)

    assert noor.enter(handle, code).status_code == 403
    assert noor.states() == {BOX: "current"}


def test_code_to_sign_in_adds_no_address(noor):
    client = Client()
    sent_before = len(mail.outbox)
    code_request = client.post("/api/sign-in/", {"email": NEW}, content_type="application/json")
    code = re.search(r"\d{6}", mail.outbox[sent_before].body)[0]

    assert noor.enter(code_request.json()["request"], code).status_code == 403
    assert noor.states() == {BOX: "current"}


def test_wrong_codes_are_counted(noor, settings):
    handle, code = noor.ask(NEW)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(settings.BUTLER_CODE_TRIES):
        assert noor.enter(handle, wrong).status_code == 403

    assert noor.enter(handle, code).status_code == 403


def test_code_confirms_once(noor):
    handle, code = noor.ask(BOX)
    assert noor.enter(handle, code).status_code == 200

    assert noor.enter(handle, code).status_code == 403


def test_adding_tells_nobody_who_has_an_address(noor, shop):
    shop.identify(5, "eli", email="eli@example.com")
    shop.order(6, "B-1", "eli")
    AddressApp("eli@example.com")

    def cost(address: str) -> tuple[int, int, int]:
        with CaptureQueriesContext(connection) as queries:
            answer = noor.request("post", "", {"email": address})
        return answer.status_code, len(answer.content), len(queries)

    assert cost("eli@example.com") == cost("nobody@example.com")


def test_address_of_another_account_cannot_be_changed_by_its_id(noor, shop):
    shop.identify(5, "eli", email="eli@example.com")
    eli = AddressApp("eli@example.com")
    address_id = eli.address_id("eli@example.com")

    for method, path in (("delete", ""), ("post", "prefer/"), ("post", "lift/"), ("post", "join/")):
        body = {} if method == "post" else None
        assert noor.request(method, f"{address_id}/{path}", body).status_code == 404
    assert eli.states() == {"eli@example.com": "current"}


def test_code_for_an_old_mailbox_opens_nothing_after_its_removal(noor):
    AddressApp(BOX).add(NEW, replaces=BOX)

    assert AddressApp(BOX).orders() == []
    assert AddressApp(NEW).orders() == ["A-1"]


def test_old_session_cannot_join_the_record_of_a_thief(noor, shop):
    shop.order(3, "B-1", email=THIEF)
    noor.add(THIEF)

    answer = WsgiClient(headers={"X-Session-Token": noor.token}).post(
        "/api/me/accounts/join/", {}, content_type="application/json"
    )

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:butler:problem:confirm-again")
    assert noor.orders() == ["A-1"]


def test_two_sessions_that_remove_the_last_two_addresses_leave_one(noor):
    noor = AddressApp(BOX)
    noor.add(NEW)
    new = AddressApp(NEW)
    paths = {
        noor: f"{noor.address_id(BOX)}/",
        new: f"{new.address_id(NEW)}/",
    }
    barrier = threading.Barrier(2)

    def remove(app: AddressApp) -> int:
        barrier.wait()
        try:
            return app.request("delete", paths[app]).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(remove, paths))

    assert statuses == [204, 409]
    assert len([app for app in (AddressApp(BOX), AddressApp(NEW)) if app.orders() == ["A-1"]]) == 1
