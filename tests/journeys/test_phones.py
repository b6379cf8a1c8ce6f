"""A customer signs in with her phone, and a family shares a landline, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.customers.identity.calls import call
from tests.customers.identity.company import WireSource, record_of
from tests.journeys.test_accounts import has_violations, is_too_wide

pytestmark = pytest.mark.slow

PHONE, LANDLINE = "+31612345098", "+31201234098"
BOXES = {"noor": "noor.jansen@mail.example.org", "bram": "bram.jansen@mail.example.org"}


def sign_in(page: Page, address: str, channel: str) -> None:
    """Sign in with the code that the outbox of the developers shows as newest."""
    page.get_by_label("Your e-mail address or mobile number").fill(address)
    page.get_by_role("button", name="Send code").click()
    page.get_by_label("Six digits").fill(newest_code(page, channel))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def newest_code(page: Page, channel: str) -> str:
    newest = page.request.get("/dev/outbox.json").json()[0]
    assert newest["channel"] == channel
    code = re.search(r"\b\d{6}\b", newest["text"])
    assert code
    return code.group()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_by_sms_opens_the_calls_of_the_phone(park, visit, apart, scheme):
    apart(lambda: call("C-1", PHONE))
    apart(lambda: call("C-2", LANDLINE))
    page = visit("/sign-in/", width=320, color_scheme=scheme)

    sign_in(page, "06 12345098", "sms")

    page.goto("/")
    expect(page.locator("#timeline")).to_contain_text("You called us")
    expect(page.get_by_text("You called us")).to_have_count(1)
    assert (has_violations(page), is_too_wide(page)) == ([], False)
    page.goto("/addresses/")
    expect(page.get_by_role("heading", name=PHONE)).to_be_visible()
    assert (has_violations(page), is_too_wide(page)) == ([], False)


def family_with_landline() -> dict[str, str]:
    """Store two customers who state one landline, and two calls; return their records."""
    shop = WireSource("Family shop", "site", ids="family")
    for hour, (user, box) in enumerate(BOXES.items(), start=1):
        shop.identify(hour, user, email=box, phone=LANDLINE, first_name=user.title())
    for hour, number in enumerate(("C-1", "C-2"), start=3):
        call(number, LANDLINE, hour=hour)
    return {user: str(record_of(shop.account(user))) for user in BOXES}


def test_call_of_a_shared_landline_is_shown_to_the_holder_who_called(park, work, visit, apart):
    records = apart(family_with_landline)
    portals = {}
    for user, box in BOXES.items():
        portals[user] = visit("/sign-in/", width=390)
        sign_in(portals[user], box, "email")
    assert {user: calls_of(page) for user, page in portals.items()} == {"noor": 0, "bram": 0}

    console = work(path=f"/console/customers/{records['bram']}/")
    expect(console.get_by_text("shared by 2")).to_have_count(2)
    console.get_by_role("button", name="Move to Bram").first.click()
    expect(console.get_by_text("The call is on this page now.")).to_be_visible()
    expect(console.get_by_text("shared by 2")).to_have_count(1)

    assert {user: calls_of(page) for user, page in portals.items()} == {"noor": 0, "bram": 1}

    console.goto(f"/console/customers/{records['noor']}/")
    console.get_by_role("button", name="Move to Noor").click()
    expect(console.get_by_text("The call is on this page now.")).to_be_visible()

    assert {user: calls_of(page) for user, page in portals.items()} == {"noor": 1, "bram": 1}


def calls_of(page: Page) -> int:
    """Return how many calls the home page of a customer lists."""
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page.get_by_text("You called us").count()
