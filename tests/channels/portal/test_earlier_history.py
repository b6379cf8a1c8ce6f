"""The step for a customer whose address was silent for a year. It works without scripts."""

import pytest

from tests.channels.portal.test_accounts import BOX, signed_in
from tests.customers.identity.company import WireSource

pytestmark = pytest.mark.django_db

LONG_AGO = -17_000.0
STEP = "It has been a while: confirm with one more detail"


@pytest.fixture
def shop() -> WireSource:
    shop = WireSource("Shop", "server", ids="shop", addresses="stated")
    shop.order(LONG_AGO, "OLD-1001", "", email=BOX)
    return shop


@pytest.fixture
def browser(shop):
    return signed_in()


def confirm(browser, **fact: str):
    return browser.post("/accounts/", {"step": "history", **fact})


def test_home_page_asks_for_one_more_detail_and_shows_nothing_earlier(browser):
    page = browser.get("/").content.decode()

    assert STEP in page
    assert "OLD-1001" not in page


@pytest.mark.parametrize("path", ["/preferences/", "/receipts/", "/why/", "/why/access-log/"])
def test_pages_about_the_whole_record_show_the_step(browser, path):
    answer = browser.get(path)

    assert (answer.status_code, STEP in answer.content.decode()) == (403, True)


def test_order_and_its_total_open_the_history(browser):
    answer = confirm(browser, order_number="old-1001", order_total="10,00")

    assert (answer.status_code, answer["Location"]) == (302, "/")
    page = browser.get("/").content.decode()
    assert STEP not in page
    assert "OLD-1001" in page
    assert browser.get("/preferences/").status_code == 200


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ({"order_number": "OLD-1001", "order_total": "11"}, "This does not match."),
        ({"order_number": "OLD-1001"}, "Enter an order with its total"),
        ({"last_name": "x", "birth_date": "yesterday"}, "Enter an order with its total"),
    ],
)
def test_other_answers_show_the_step_with_an_error_and_what_was_entered(browser, fact, text):
    answer = confirm(browser, **fact)

    page = answer.content.decode()
    assert (answer.status_code, text in page, STEP in page) == (422, True, True)
    assert f'value="{next(iter(fact.values()))}"' in page


def test_addresses_are_shown_after_the_step(browser):
    assert "Add an address" not in browser.get("/accounts/").content.decode()
    refused = browser.post("/accounts/", {"step": "add", "email": "new@example.org"})
    confirm(browser, order_number="OLD-1001", order_total="10")

    assert "Add an address" in browser.get("/accounts/").content.decode()
    assert refused.status_code == 200


def test_customer_without_a_silence_sees_no_step_and_an_old_form_does_nothing(db):
    shop = WireSource("Shop", "server", ids="shop", addresses="stated")
    shop.order(-1, "NEW-2", "", email=BOX)
    browser = signed_in()

    assert STEP not in browser.get("/").content.decode()
    assert STEP not in browser.get("/accounts/").content.decode()
    assert confirm(browser, card="LF-70010042").status_code == 200
