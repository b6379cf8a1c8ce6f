"""A family with one mailbox chooses, joins and refuses accounts in a real browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.customers.api.test_accounts import BOX, shop_with_orders

pytestmark = pytest.mark.slow


def sign_in(page: Page) -> None:
    page.get_by_label("Your e-mail address").fill(BOX)
    page.get_by_role("button", name="Send code").click()
    code = re.search(r"\b\d{6}\b", page.request.get("/dev/outbox.json").json()[0]["text"])
    assert code
    page.get_by_label("Six digits").fill(code.group())
    page.get_by_role("button", name="Sign in").click()


def has_violations(page: Page) -> list[str]:
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_family_chooses_an_account_with_the_keyboard_and_joins_both(park, visit, apart, scheme):
    apart(lambda: shop_with_orders(addresses="checked", users=("ann", "bram")))
    page = visit(width=320, color_scheme=scheme)
    sign_in(page)
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()
    assert (has_violations(page), is_too_wide(page)) == ([], False)

    page.get_by_role("button", name="Open this account").first.press("Enter")
    expect(page.get_by_text("ORDER-ann").first).to_be_attached()
    expect(page.get_by_text("ORDER-bram")).to_have_count(0)
    assert (has_violations(page), is_too_wide(page)) == ([], False)

    page.get_by_role("link", name="Switch account").press("Enter")
    page.get_by_role("button", name="Join my accounts").press("Enter")
    page.goto("/orders/")
    expect(page.get_by_text("ORDER-ann").first).to_be_visible()
    expect(page.get_by_text("ORDER-bram").first).to_be_visible()


def test_open_page_follows_the_account_that_another_tab_chooses(park, visit, apart):
    shop = apart(lambda: shop_with_orders(addresses="checked", users=("ann", "bram")))
    page = visit(width=390)
    sign_in(page)
    page.get_by_role("button", name="Open this account").first.click()
    expect(page.get_by_text("ORDER-ann").first).to_be_attached()
    page.evaluate("window.isSamePage = true")

    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("link", name="Switch account").click()
    other.get_by_role("button", name="Open this account").first.click()

    expect(page.get_by_text("ORDER-bram").first).to_be_attached(timeout=15_000)
    expect(page.get_by_text("ORDER-ann")).to_have_count(0)
    apart(lambda: shop.order(50, "LATER-bram", "bram"))
    expect(page.get_by_text("LATER-bram").first).to_be_attached(timeout=15_000)
    assert page.evaluate("window.isSamePage")


def test_closed_accounts_are_refused_without_javascript(park, visit, apart):
    apart(lambda: shop_with_orders(addresses="stated", users=("ann", "bram")))
    page = visit(width=320, java_script_enabled=False)
    sign_in(page)
    expect(page.get_by_text("Another account names your address.")).to_be_visible()
    page.get_by_role("link", name="See which account").click()
    refusals = page.get_by_role("button", name="Remove my address")
    expect(refusals).to_have_count(2)

    refusals.first.click()

    page.goto("/accounts/")
    expect(page.get_by_text("Another account of Shop")).to_have_count(0)
    # The other account is now the only one that states the address, so a code opens it.
    page.goto("/orders/")
    expect(page.get_by_text("ORDER-bram").first).to_be_visible()
