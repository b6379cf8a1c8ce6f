"""The page on which a customer chooses, joins and refuses accounts. It works without scripts."""

import re

import pytest
from django.core import mail
from django.test import Client

from customers.models import User
from tests import factories
from tests.customers.api.test_accounts import BOX, shop_with_orders
from tests.customers.identity.company import WireSource

pytestmark = pytest.mark.django_db


def signed_in() -> Client:
    """Return a browser that signed in with a code of the mailbox."""
    browser = Client()
    page = browser.post("/sign-in/", {"email": BOX}, follow=True).content.decode()
    handle = re.search(r'name="handle" value="([^"]+)"', page)[1]
    code = re.search(r"\d{6}", mail.outbox[-1].body)[0]
    browser.post("/sign-in/code/", {"email": BOX, "handle": handle, "code": code})
    return browser


@pytest.fixture
def family(db) -> Client:
    shop_with_orders(addresses="checked", users=("ann", "bram"))
    return signed_in()


def values(page: str, name: str, pattern: str = r"\d+") -> list[str]:
    return re.findall(rf'name="{name}" value="({pattern})"', page)


@pytest.mark.parametrize("path", ["/", "/orders/", "/inbox/", "/preferences/", "/why/"])
def test_pages_lead_to_the_choice_first(family, path):
    answer = family.get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/")


def test_chosen_account_opens_the_requested_page(family):
    page = family.get("/accounts/?next=/orders/").content.decode()

    answer = family.post(
        "/accounts/", {"account": values(page, "account")[1], "next": "/orders/"}, follow=True
    )

    assert answer.redirect_chain == [("/orders/", 302)]
    shown = answer.content.decode()
    assert "ORDER-bram" in shown
    assert "ORDER-ann" not in shown


def test_joined_accounts_show_the_orders_of_both(family):
    family.post("/accounts/", {"join": "on"})

    shown = family.get("/orders/").content.decode()
    assert "ORDER-ann" in shown
    assert "ORDER-bram" in shown


@pytest.mark.parametrize("answer", [{}, {"account": "x"}, {"account": "1"}, {"account": "-5"}])
def test_other_answers_show_the_page_with_an_error(family, answer):
    refused = family.post("/accounts/", answer)

    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()


def test_closed_account_is_named_by_its_source_and_can_be_refused(db):
    shop_with_orders(addresses="stated", users=("ann", "bram"))
    browser = signed_in()
    page = browser.get("/accounts/").content.decode()
    assert "Another account of Shop" in page
    assert "…nn" not in page
    assert "ORDER-" not in page

    for refused in values(page, "refused"):
        browser.post("/accounts/", {"refused": refused})

    assert "Another account of Shop" not in browser.get("/accounts/").content.decode()


def test_page_needs_a_sign_in_and_leads_nowhere_else(client, family):
    assert client.get("/accounts/")["Location"].startswith("/sign-in/")
    page = family.get("/accounts/").content.decode()
    choice = {"account": values(page, "account")[0], "next": "https://evil.example/"}
    assert family.post("/accounts/", choice)["Location"] == "/"


def test_home_page_mentions_a_closed_account_of_the_address(db):
    shop_with_orders(addresses="stated", users=("ann", "bram"))
    browser = signed_in()

    page = browser.get("/").content.decode()

    assert "Another account names your address." in page
    assert 'href="/accounts/"' in page
    assert "ORDER-" not in page


def test_home_page_leads_to_the_other_accounts_after_a_choice(family):
    assert family.get("/").status_code == 302
    page = family.get("/accounts/").content.decode()
    family.post("/accounts/", {"account": values(page, "account")[0]})

    assert "Switch account" in family.get("/").content.decode()
    assert "Switch account" in family.get("/?parts").content.decode()


def test_home_page_of_the_only_account_has_no_hint(db):
    shop_with_orders(addresses="stated", users=("ann",))

    page = signed_in().get("/").content.decode()

    assert "ORDER-ann" in page
    assert 'href="/accounts/"' not in page.partition('data-part="hints"')[2].partition("</div>")[0]
    assert "Confirm your address" not in page


@pytest.fixture
def account_session(client, db) -> Client:
    """Return a browser that proved an account, but not the mailbox that the account states."""
    sam = factories.customer(("user_id", "sam"), ("email", BOX))
    client.force_login(User.objects.create_user("sam@other.example.org", record=sam))
    return client


@pytest.mark.parametrize("path", ["/", "/preferences/", "/receipts/", "/why/"])
def test_session_without_the_mailbox_is_asked_to_confirm_it_with_a_code(account_session, path):
    page = account_session.get(path).content.decode()
    assert "Confirm your address to see what we have for it" in page

    [address] = values(page, "email", r"[^\"]+")
    code_page = account_session.post("/addresses/", {"step": "prove", "email": address})
    handle = values(code_page.content.decode(), "handle", r"[^\"]+")[0]
    code = re.search(r"\d{6}", mail.outbox[-1].body)[0]
    account_session.post(
        "/addresses/", {"step": "code", "email": address, "handle": handle, "code": code}
    )

    assert mail.outbox[-1].to == [BOX]
    opened = account_session.get(path)
    assert opened.status_code == 200
    assert "Confirm your address" not in opened.content.decode()


def test_address_is_shown_as_confirmed_only_with_a_proof(db):
    shop = WireSource("Shop", "server", ids="shop", addresses="stated")
    shop.identify(1, "ann", email=BOX, phone="+31612345678")

    shown = re.findall(
        r'class="muted">([^<]+)</span></span>\s*<span class="badge[^>]*>(.*?)<',
        signed_in().get("/").content.decode(),
    )

    assert dict(shown) == {"ann": "confirmed", BOX: "confirmed", "+31612345678": "not confirmed"}


def test_proved_mailbox_without_an_account_is_shown_as_confirmed(db):
    WireSource("Shop", "server", ids="shop").order(1, "GUEST-1", "", email=BOX)

    assert '<span class="badge good">confirmed</span>' in signed_in().get("/").content.decode()


def test_mailbox_without_an_account_is_offered_as_no_choice(db):
    WireSource("Shop", "server", ids="shop").order(1, "GUEST-1", email=BOX)

    page = signed_in().get("/accounts/").content.decode()

    assert BOX in page
    assert "This account is open." not in page


@pytest.mark.parametrize(("addresses", "is_whole"), [("checked", True), ("stated", False)])
def test_only_a_session_that_opens_the_whole_record_reads_whether_it_was_joined(
    db, addresses, is_whole
):
    users = ("ann",) if is_whole else ("ann", "bram")
    shop_with_orders(addresses=addresses, users=users)

    page = signed_in().get("/").content.decode()

    assert ("This is your only record." in page) is is_whole


def test_number_that_two_sources_share_is_one_line(db):
    for name, addresses in (("Shop", "checked"), ("Site", "stated")):
        source = WireSource(name, "server", ids="shop", addresses=addresses)
        source.identify(1, "ann", email=BOX)

    page = signed_in().get("/").content.decode()

    lines = re.findall(r"<li>\s*<span>(Account number of [^<]*)<", page)
    assert [line.strip() for line in lines] == ["Account number of Shop, Site"]
