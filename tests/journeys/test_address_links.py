"""The links of messages that change addresses without a sign-in, in a real browser."""

import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from channels import deliveries
from customers.models import AddressChange
from tests.channels.test_not_mine import BOX, link_in, queue, shop_with_typo
from tests.customers.identity.address_app import AddressApp
from tests.customers.identity.company import WireSource, record_of
from tests.journeys.test_accounts import has_violations, is_too_wide
from tests.journeys.test_phones import sign_in

pytestmark = pytest.mark.slow

NEW = "noor.new@mail.example.org"


@pytest.fixture
def typo(park, apart) -> tuple[WireSource, str]:
    """A shop whose customer mistyped an address, and the link in the mail to that address."""

    def send_mail() -> tuple[WireSource, str]:
        shop = shop_with_typo()
        queue(record_of(shop.account("typo")))
        deliveries.deliver_all(clock=timezone.now)
        return shop, link_in(str(mail.outbox[-1].body))

    return apart(send_mail)


def press_with_keyboard(page: Page, box: str, button: str) -> None:
    """Tick the box and press the button below it, with the keyboard alone."""
    page.get_by_label(box).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=button)).to_be_focused()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_stranger_presses_not_mine_and_the_shop_is_told(work, typo, visit, apart, scheme):
    shop, link = typo
    page = visit(link, width=320, color_scheme=scheme)
    assert (has_violations(page), is_too_wide(page)) == ([], False)

    # The browser sends nothing while the box is empty.
    page.get_by_role("button", name="Remove my address").click()
    expect(page.get_by_role("heading", name="Was this message not for you?")).to_be_visible()
    press_with_keyboard(page, "This message was not for me", "Remove my address")

    expect(page.get_by_role("heading", name="Your address is removed")).to_be_visible()
    assert (has_violations(page), is_too_wide(page)) == ([], False)
    # The shop repeats the address at night, and the account stays closed to its holder.
    apart(lambda: shop.identify(50, "typo", email=BOX))
    page.goto("/sign-in/")
    sign_in(page, BOX, "email")
    page.goto("/orders/")
    expect(page.get_by_role("heading", name="No orders yet")).to_be_visible()
    console = work("lin", path="/console/sources/")
    expect(console.get_by_text("holders of addresses said").first).to_be_visible()


def test_not_mine_works_without_javascript_also_twice(typo, visit):
    _, link = typo
    page = visit(link, width=390, java_script_enabled=False)

    for _press in range(2):
        page.goto(link)
        page.get_by_label("This message was not for me").check()
        page.get_by_role("button", name="Remove my address").click()

        expect(page.get_by_role("heading", name="Your address is removed")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_holder_of_the_old_address_stops_a_change_that_waits(park, visit, apart, scheme):
    def change_address() -> str:
        shop = WireSource("Shop", "server", ids="shop", addresses="stated")
        shop.identify(1, "noor", email=BOX)
        thief = AddressApp(BOX)
        thief.age()
        thief.add(NEW, replaces=BOX)
        notice = next(message for message in reversed(mail.outbox) if message.to == [BOX])
        return re.search(r"/addresses/freeze/\S+", str(notice.body))[0]

    page = visit(apart(change_address), width=320, color_scheme=scheme)
    expect(page.get_by_text(NEW)).to_be_visible()
    assert (has_violations(page), is_too_wide(page)) == ([], False)

    page.get_by_role("button", name="Stop the change").click()
    expect(page.get_by_role("heading", name="Stop this change?")).to_be_visible()
    press_with_keyboard(page, "I did not ask for this change", "Stop the change")

    expect(page.get_by_role("heading", name="The change is stopped")).to_be_visible()
    assert (has_violations(page), is_too_wide(page)) == ([], False)
    assert apart(lambda: AddressChange.objects.get().state) == "frozen"
    page.goto("/sign-in/")
    sign_in(page, BOX, "email")
    page.goto("/accounts/")
    expect(page.get_by_role("heading", name="A change was stopped")).to_be_visible()
