"""Ordered by phone, seen in the app: in a real browser, on the running system."""

import re
import secrets
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

LIVE = "#status[data-state=live]"


def _order(desk, number: str, *, name: str = "Lantern Night") -> None:
    customers = desk.get("/api/customers/?identifier=email:noor@example.com").json()["results"]
    day = timezone.localdate() + timedelta(days=1)
    answer = desk.post(
        f"/api/customers/{customers[0]['id']}/orders/",
        headers={"Idempotency-Key": secrets.token_hex(8)},
        json={
            "number": number,
            "name": name,
            "currency": "EUR",
            "visit_date": day.isoformat(),
            "visit_time": "10:00:00",
            "lines": [{"product": "day-adult", "name": "Day ticket, adult", "unit_price": "34.50"}],
        },
    )
    assert answer.status_code == 201, answer.text


def test_order_by_phone_appears_in_the_open_page(noor, desk):
    page = noor()
    page.wait_for_selector(LIVE)
    page.evaluate("window.isStillThisPage = true")

    _order(desk, "LK-JOURNEY-1")

    expect(page.locator("#phone .pass")).to_contain_text("LK-JOURNEY-1")
    expect(page.locator("#phone .pass")).to_contain_text("Lantern Night")
    newest = page.locator("#timeline li").first
    expect(newest).to_contain_text("You placed an order")
    expect(newest.locator(".latency")).to_have_text(re.compile(r"on screen after \d+ ms"))
    expect(page.locator("#announcement")).to_have_text("You placed an order")
    assert page.evaluate("window.isStillThisPage") is True


def test_demo_buttons_change_every_part_of_the_page(noor):
    page = noor()
    page.wait_for_selector(LIVE)
    code = page.locator("#phone .pass dd").last

    page.get_by_role("button", name="Take order").click()
    expect(page.locator("#phone .pass h2")).to_have_text("Lantern Night")
    page.get_by_role("button", name="Move the arrival").click()
    expect(page.locator("#phone .pass")).to_contain_text("11:30")
    page.get_by_role("button", name="Scan the code").click()
    expect(page.locator("#phone .pass")).to_contain_text("Through the gate at")

    assert re.fullmatch(r"LK-\d{4}-\d{2}", code.inner_text())
    versions = {badge.inner_text() for badge in page.locator("#counters h2 .badge").all()}
    assert len(versions) == 1


def test_events_missed_while_offline_appear_after_reconnecting(noor, desk):
    page = noor()
    page.wait_for_selector(LIVE)

    # The stream is cut and stays away for a while, in which something happens.
    page.route("**/live/me?*", lambda route: route.abort())
    page.reload()
    expect(page.locator("#status")).to_have_attribute("data-state", re.compile("away|waiting"))
    expect(page.locator("#status")).to_contain_text(re.compile("trying again|Connecting"))
    _order(desk, "LK-JOURNEY-2")
    page.unroute("**/live/me?*")

    page.wait_for_selector(LIVE)
    expect(page.locator("#phone .pass")).to_contain_text("LK-JOURNEY-2")


def test_sign_out_in_another_tab_closes_the_open_page(noor):
    page = noor()
    page.wait_for_selector(LIVE)
    elsewhere = page.context.new_page()
    elsewhere.goto("/")

    elsewhere.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("button", name="Send code")).to_be_visible()


def test_page_works_with_the_keyboard_alone(visit):
    page = visit()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()

    page.get_by_role("button", name="Sign in as Noor").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(LIVE)
    page.get_by_role("button", name="Take order").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#phone .pass h2")).to_have_text("Lantern Night")
    # The button was replaced with its card, and is still the one in hand.
    expect(page.get_by_role("button", name="Take order")).to_be_focused()


def test_page_of_320_pixels_does_not_scroll_sideways(visit, desk):
    # A long name without a blank to break it at.
    _order(desk, "LK-JOURNEY-3", name="Donaudampfschifffahrtsgesellschaft" * 3)

    for locale in ("en-GB", "nl-NL", "sv-SE", "da-DK"):
        page = visit("/sign-in/", width=320, locale=locale)
        _assert_fits(page)
        page.goto("/")
        _assert_fits(page)
        page.locator("form[action='/demo/look-as-noor/'] button").click()
        page.wait_for_selector(LIVE)
        for summary in page.locator("summary").all():
            summary.click()
        _assert_fits(page)


def _assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_page_has_no_accessibility_violations(visit, width, scheme):
    page = visit(width=width, color_scheme=scheme)
    _assert_accessible(page)

    page.get_by_label("Your e-mail address").fill("noor@example.com")
    page.get_by_role("button", name="Send code").click()
    _assert_accessible(page)

    page.goto("/")
    page.get_by_role("button", name="Sign in as Noor").click()
    page.wait_for_selector(LIVE)
    page.get_by_role("button", name="Scan the code").click()
    page.wait_for_selector(".is-new")
    _assert_accessible(page)
    # The other half of the four: every color has a partner in the other scheme.
    page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
    _assert_accessible(page)


def _assert_accessible(page: Page) -> None:
    report = Axe().run(page, options={"resultTypes": ["violations"]})
    assert report.violations_count == 0, report.generate_report()


def test_page_works_without_javascript(visit, park):
    page = visit(java_script_enabled=False)
    page.get_by_label("Your e-mail address").fill("noor@example.com")
    page.get_by_role("button", name="Send code").click()
    mail = page.request.get("/dev/outbox.json").json()[0]
    code = re.search(r"\b\d{6}\b", mail["text"])
    assert code
    page.get_by_label("Six digits").fill(code.group())
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#phone")).to_contain_text("Hello Noor")

    page.get_by_role("button", name="Take order").click()

    expect(page.locator("#phone .pass h2")).to_have_text("Lantern Night")
    expect(page.locator("#timeline li").first).to_contain_text("You placed an order")
    expect(page.get_by_role("link", name="Reload the page")).to_be_visible()


def test_page_loads_nothing_from_other_hosts_and_logs_no_errors(noor, park):
    console_messages: list[str] = []
    page = noor()
    page.on("console", lambda message: console_messages.append(message.text))
    page.on("pageerror", lambda error: console_messages.append(str(error)))
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))

    page.reload()
    page.wait_for_selector(LIVE)

    assert hosts == {park.web, park.live}
    assert console_messages == []


def test_targets_are_at_least_24_pixels_high(noor):
    page = noor(width=320)

    for target in page.locator("button:visible, a:visible:not(.skip-link), summary:visible").all():
        box = target.bounding_box()
        assert box, target
        assert box["height"] >= 24, target.inner_text()
