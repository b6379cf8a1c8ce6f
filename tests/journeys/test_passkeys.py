"""A customer adds a passkey and signs in with it, in a real browser with a virtual authenticator."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.customers.api.test_accounts import BOX, shop_with_orders
from tests.journeys.test_accounts import has_violations, is_too_wide, sign_in

pytestmark = pytest.mark.slow

ORDERS = re.compile(r"^http://[^/]+/orders/$")
FAILED = "No passkey was used. Try again, or ask for a code."


class VirtualAuthenticator:
    """A platform authenticator of the browser, which a test controls by the DevTools protocol."""

    def __init__(self, page: Page) -> None:
        self._client = page.context.new_cdp_session(page)
        self._client.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        answer = self._client.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = {"authenticatorId": answer["authenticatorId"]}

    def allow(self, *, is_touched: bool) -> None:
        """Let the customer touch the authenticator at each request, or never."""
        self._client.send(
            "WebAuthn.setAutomaticPresenceSimulation", {**self._id, "enabled": is_touched}
        )

    def recognize(self, *, is_owner: bool) -> None:
        """Let the authenticator recognize the finger of the customer, or refuse it."""
        self._client.send("WebAuthn.setUserVerified", {**self._id, "isUserVerified": is_owner})

    def credentials(self) -> list[dict[str, Any]]:
        return self._client.send("WebAuthn.getCredentials", self._id)["credentials"]


@pytest.fixture
def noor(park, visit, apart) -> Callable[..., Page]:
    """Return a function that opens the addresses of a customer who signed in with a code."""

    def open_page(**options: Any) -> Page:
        apart(lambda: shop_with_orders(addresses="checked", users=("ann",)))
        page = visit("/sign-in/", width=320, **options)
        sign_in(page)
        page.goto("/accounts/")
        return page

    return open_page


def add_passkey(page: Page, name: str = "My phone") -> None:
    page.get_by_label("Name of the new passkey, such as my phone").fill(name)
    page.get_by_role("button", name="Add passkey").press("Enter")
    expect(page.get_by_text("The passkey was added.")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Your e-mail address")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_passkey_is_added_and_signs_in_by_the_button(noor, scheme):
    page = noor(color_scheme=scheme)
    authenticator = VirtualAuthenticator(page)
    add_passkey(page)
    expect(page.get_by_role("heading", name="My phone")).to_be_visible()
    assert (has_violations(page), is_too_wide(page)) == ([], False)
    [credential] = authenticator.credentials()
    assert (credential["rpId"], credential["isResidentCredential"]) == ("localhost", True)
    assert BOX.encode() not in credential["userHandle"].encode()

    authenticator.allow(is_touched=False)
    sign_out(page)
    page.goto("/sign-in/?next=/orders/")
    button = page.get_by_role("button", name="Sign in with a passkey")
    expect(button).to_be_visible()
    assert (has_violations(page), is_too_wide(page)) == ([], False)
    authenticator.allow(is_touched=True)
    button.press("Enter")

    page.wait_for_url(ORDERS)
    expect(page.get_by_text("ORDER-ann").first).to_be_visible()


def test_browser_offers_the_passkey_where_the_address_is_entered(noor):
    page = noor()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page)
    authenticator.allow(is_touched=False)
    sign_out(page)
    expect(page.get_by_label("Your e-mail address")).to_have_attribute(
        "autocomplete", "username webauthn"
    )
    page.goto("about:blank")

    # The virtual authenticator picks the passkey in the list of the address field at once.
    authenticator.allow(is_touched=True)
    page.goto("/sign-in/?next=/orders/", wait_until="commit")

    page.wait_for_url(ORDERS)
    expect(page.get_by_text("ORDER-ann").first).to_be_visible()


def test_removed_passkey_is_refused_and_a_code_still_works(noor):
    page = noor()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page)
    page.get_by_text("Change this passkey").click()
    page.get_by_label("Name of the passkey").fill("Old phone")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", name="Old phone")).to_be_visible()
    page.get_by_text("Change this passkey").click()
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("You have no passkey yet.")).to_be_visible()
    authenticator.allow(is_touched=False)
    sign_out(page)
    page.goto("/sign-in/")

    authenticator.allow(is_touched=True)
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_text("This passkey does not open anything here.")).to_be_visible()
    authenticator.allow(is_touched=False)
    sign_in(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_finger_that_is_not_recognized_signs_nobody_in(noor):
    page = noor()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page)
    authenticator.recognize(is_owner=False)
    sign_out(page)
    page.goto("/sign-in/")

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_text(FAILED)).to_be_visible()
    assert page.url.endswith("/sign-in/")


def test_device_with_a_passkey_gets_no_second_one(noor):
    page = noor()
    VirtualAuthenticator(page)
    add_passkey(page)

    page.get_by_role("button", name="Add passkey").click()

    expect(page.get_by_text("This device already has a passkey for you.")).to_be_visible()


def test_without_scripts_the_pages_show_no_dead_button(noor):
    page = noor(java_script_enabled=False)

    expect(page.get_by_role("heading", name="Passkeys", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Add passkey"))).to_have_count(0)
    expect(page.get_by_text("To add a passkey, use a browser that has passkeys")).to_be_visible()
    sign_out(page)
    page.goto("/sign-in/")
    expect(page.get_by_role("button", name="Send code")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
