"""The link "Not mine" of a mail, from the outbox to the removed address, in a real browser."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from channels import deliveries
from customers.models import Customer, SourceWarning
from tests.butler import arrange
from tests.customers.identity.company import WireSource, are_one, email, record_of
from tests.customers.identity.test_silences import hours_until_now

pytestmark = pytest.mark.slow

BOX = "not.her.address@mail.example.org"


def mail_to_a_mistyped_address() -> None:
    """Send a mail about the order of a customer whose address is mistyped."""
    arrange.vocabulary()
    shop = WireSource("Typing shop", "server", ids="typing", addresses="stated")
    shop.identify(hours_until_now() - 3, "typo", email=BOX)
    shop.order(hours_until_now() - 2, "TYPO-1", "typo")
    now = timezone.now()
    times = dict.fromkeys(
        ("occurred_at", "not_before", "created_at", "state_at"), now - timedelta(minutes=1)
    )
    arrange.message(
        Customer(pk=record_of(shop.account("typo"))),
        message_class="service",
        topic="orders",
        relation="order:TYPO-1",
        expires_at=now + timedelta(days=7),
        **times,
    )
    deliveries.deliver("email", clock=lambda: datetime.now(UTC))


def is_removed() -> tuple[bool, int]:
    warnings = SourceWarning.objects.filter(code="address_not_mine").count()
    source = SourceWarning.objects.filter(code="address_not_mine").first()
    account = "user_id", f"{source.source_id}/typo" if source else "/"
    return not are_one(email(BOX), account), warnings


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_holder_removes_the_own_address_without_a_login_and_without_javascript(
    park, visit, apart, width, scheme
):
    apart(mail_to_a_mistyped_address)
    page = visit(width=width, color_scheme=scheme, java_script_enabled=False)
    mails = page.request.get("/dev/outbox.json").json()
    [text] = [mail["text"] for mail in mails if BOX in str(mail.get("to", mail))][:1]
    link = re.search(r"/n/[\w-]{38}/", text)
    assert link

    page.goto(link.group())
    expect(page.get_by_role("heading", name="Was this message not for you?")).to_be_visible()
    assert apart(lambda: SourceWarning.objects.filter(code="address_not_mine").count()) == 0
    page.get_by_role("button", name="Remove my address").press("Enter")

    expect(page.get_by_role("heading", name="Your address is removed")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth > innerWidth") is False
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
    assert apart(is_removed) == (True, 1)
