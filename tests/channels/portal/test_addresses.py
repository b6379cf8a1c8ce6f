"""The page of the customer's addresses, and the page behind a link that stops a change."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from customers.actions import address_changes
from customers.models import AddressChange, Suppression
from tests.customers.identity.address_app import AddressApp
from tests.customers.identity.company import WireSource
from tests.security.test_address_changes import press

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

BOX, NEW = "noor@example.com", "noor.new@example.com"


class Visitor(Client):
    """A customer who signed in at the portal."""

    def __init__(self, address: str) -> None:
        super().__init__()
        page = self.post("/sign-in/", {"email": address}, follow=True)
        self.post("/sign-in/code/", {"handle": _handle(page), "code": _last_code()})

    def step(self, name: str, /, **fields: object):
        return self.post("/accounts/", {"step": name, **fields})

    def add(self, address: str, **fields: object):
        page = self.step("add", email=address, **fields)
        return self.step("code", email=address, handle=_handle(page), code=_last_code())

    def text(self) -> str:
        return self.get("/accounts/").content.decode()


def _handle(page) -> str:
    return re.search(r'name="handle" value="([^"]+)"', page.content.decode())[1]


def _last_code() -> str:
    return re.search(r"\d{6}", mail.outbox[-1].body)[0]


@pytest.fixture
def shop():
    shop = WireSource("Shop", "site", ids="shop")
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")
    return shop


@pytest.fixture
def noor(shop):
    return Visitor(BOX)


def test_home_page_leads_to_the_addresses(noor):
    assert 'href="/accounts/"' in noor.get("/").content.decode()


def test_visitor_without_a_session_is_asked_to_sign_in():
    assert Client().get("/accounts/").headers["Location"] == "/sign-in/?next=%2Faccounts%2F"


def test_old_address_of_the_page_leads_to_the_accounts_and_takes_its_forms(noor):
    assert noor.get("/addresses/").headers["Location"] == "/accounts/"
    assert noor.post("/addresses/", {"step": "add", "email": NEW}).status_code == 200
    assert mail.outbox[-1].to == [NEW]


def test_address_is_added_by_its_code_without_scripts(noor):
    page = noor.add(NEW)

    assert "The address is confirmed." in page.content.decode()
    assert AddressApp(NEW).orders() == ["A-1"]


def test_wrong_code_keeps_the_form_for_the_code(noor):
    page = noor.step("add", email=NEW)
    answer = noor.step("code", email=NEW, handle=_handle(page), code="12")

    assert answer.status_code == 422
    assert _handle(answer) == _handle(page)


def test_no_address_is_refused_with_a_sentence(noor):
    answer = noor.step("add", email="noor")

    assert answer.status_code == 422
    assert "This is no e-mail address and no phone number" in answer.content.decode()


def test_address_with_its_own_record_is_joined_on_request(noor, shop):
    shop.order(3, "B-1", email=NEW)

    page = noor.add(NEW).content.decode()
    noor.step("join", address=re.search(r'name="address" value="(\d+)"', page)[1])

    assert AddressApp(NEW).orders() == ["A-1", "B-1"]


def test_address_with_its_own_record_replaces_the_chosen_one_when_it_is_joined(noor, shop):
    shop.order(3, "B-1", email=NEW)
    chosen = AddressApp(BOX).address_id(BOX)

    code_page = noor.step("add", email=NEW, address=chosen)
    page = noor.step(
        "code", email=NEW, handle=_handle(code_page), code=_last_code()
    ).content.decode()
    noor.step("join", address=re.search(r'name="address" value="(\d+)"', page)[1])

    assert AddressApp(NEW).states() == {NEW: "current", BOX: "removed"}


def test_page_shows_a_change_that_waits_and_cancels_it(noor):
    noor.add(NEW)
    new = Visitor(NEW)
    address_id = AddressApp(NEW).address_id(BOX)

    answer = new.step("remove", address=address_id)

    assert "The address goes in three days." in answer.content.decode()
    assert "A change waits" in new.text()
    new.step("cancel", address=AddressChange.objects.get().pk)
    assert "A change waits" not in new.text()


def test_session_of_a_removed_address_is_sent_to_the_sign_in(noor):
    noor.add(NEW)
    address_id = AddressApp(NEW).address_id(BOX)

    answer = noor.step("remove", address=address_id)

    assert answer.headers["Location"] == "/sign-in/?ended=address"
    assert "_auth_user_id" not in noor.session
    page = noor.get(answer.headers["Location"]).content.decode()
    assert "Sign in with another of your" in page
    assert "Sign in with another of your" not in noor.get("/sign-in/").content.decode()


def test_cause_of_a_suppression_and_its_way_back(noor):
    Suppression.objects.create(
        channel="email", address=BOX, reason="complained", since=timezone.now()
    )
    assert "You reported our mail as unwanted." in noor.text()

    noor.step("lift", address=AddressApp(BOX).address_id(BOX))

    assert "You reported our mail as unwanted." not in noor.text()


def test_link_in_a_notice_shows_what_it_stops(noor):
    noor.add(NEW)
    Visitor(NEW).step("remove", address=AddressApp(NEW).address_id(BOX))
    notice = next(message for message in reversed(mail.outbox) if message.to == [BOX])
    path = re.search(r"/addresses/freeze/\S+", notice.body)[0]

    page = Client().get(path).content.decode()
    stopped = press(path).content.decode()

    assert "Stop this change?" in page
    assert BOX in page
    assert "The change is stopped" in stopped
    assert not address_changes.advance_next(now=timezone.now() + timedelta(days=9))
