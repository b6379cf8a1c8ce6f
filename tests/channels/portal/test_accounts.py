"""The page on which a customer chooses, joins and refuses accounts. It works without scripts."""

import re

import pytest
from django.core import mail
from django.test import Client

from tests.customers.api.test_accounts import BOX, shop_with_orders

pytestmark = pytest.mark.django_db


def signed_in() -> Client:
    """Return a browser that signed in with a code of the mailbox."""
    browser = Client()
    page = browser.post("/sign-in/", {"email": BOX}).content.decode()
    handle = re.search(r'name="handle" value="([^"]+)"', page)[1]
    code = re.search(r"\d{6}", mail.outbox[-1].body)[0]
    browser.post("/sign-in/code/", {"email": BOX, "handle": handle, "code": code})
    return browser


@pytest.fixture
def family(db) -> Client:
    shop_with_orders(addresses="checked", users=("ann", "bram"))
    return signed_in()


def values(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="(\d+)"', page)


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
