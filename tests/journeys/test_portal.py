"""Noor's pages in a real browser: she reads, decides, and sees why; on a phone, and on paper."""

import html
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from customers.actions import internal_events
from customers.consent import state_reader
from customers.models import Customer, Event, LedgerEntry, Order
from tests import factories, size
from tests.journeys import portal

pytestmark = pytest.mark.slow

# A message that there is not.
NOWHERE = "/inbox/00000000-0000-0000-0000-000000000000/"
LIVE = "#status[data-state=live]"


@pytest.fixture
def me(park) -> Customer:
    """Noor's record, with everything on it that her pages can show."""
    record = portal.noor()
    portal.fill(record)
    return record


@pytest.fixture
def pages(me) -> list[str]:
    order = Order.objects.filter(customer=me, visit_date__isnull=False).latest("visit_date")
    message = portal.newest_message(me)
    return [*portal.PAGES, f"/orders/{order.number}/", f"/inbox/{message.pk}/", NOWHERE]


def _send(to: Customer, subject: str) -> None:
    """Deliver a message to the inbox, with the event that notifies the page."""
    now = timezone.now()
    message = factories.message(to, subject=subject, at=now)
    internal_events.append_internal_event(
        customer_id=to.pk,
        name="Message Sent",
        about=f"message:{message.pk}",
        properties={"channel": "inbox"},
        actor="",
        now=now,
        kind="message",
    )


def _state(of: Customer, purpose: str = "offers") -> str:
    return state_reader.read_state(of.pk).consents[purpose].state


def test_customer_withdraws_consent_and_gives_it_again(me, noor, apart):
    page = noor(width=320)
    page.get_by_role("link", name="Preferences", exact=True).click()
    card = page.locator("#consent-offers")
    expect(card).to_contain_text("You said yes.")
    entry_count = apart(lambda: LedgerEntry.objects.filter(record=me).count())
    yes, no = (
        card.get_by_role("button", name="Give consent"),
        card.get_by_role("button", name="Refuse consent"),
    )
    sizes = [button.bounding_box() for button in (yes, no)]
    assert sizes[0]["width"] == sizes[1]["width"]
    assert sizes[0]["height"] == sizes[1]["height"]

    no.click()
    expect(card).to_contain_text("You withdrew your consent.")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_attached()
    assert apart(_state, me) == "withdrawn"

    yes.click()
    expect(card).to_contain_text("You said yes.")
    assert apart(_state, me) == "given"
    # Back where the button was, not at the top of a long page.
    expect(card).to_be_in_viewport()

    page.get_by_role("link", name="Receipts of your consents and preferences").click()
    expect(page.locator(".rows li")).to_have_count(entry_count + 2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Receipt").first.click()
    assert download.value.suggested_filename.startswith("receipt-")


def test_new_message_appears_on_the_open_pages(me, noor, apart):
    page, second = noor(), noor(width=320)
    second.goto("/inbox/")
    for tab in (page, second):
        tab.wait_for_selector(LIVE)
        tab.evaluate("window.isStillThisPage = true")

    apart(_send, me, "Night Mail is down")

    expect(page.locator("#phone .message-list li").first).to_contain_text("Night Mail is down")
    expect(page.locator("#timeline li").first).to_contain_text("We sent you a message")
    expect(second.locator("#messages li").first).to_contain_text("Night Mail is down")
    expect(second.locator("#messages li").first).to_have_class(re.compile("is-new"))
    expect(second.locator("#announcement")).to_contain_text("Night Mail is down")
    expect(second.locator(".navigation .unread-count")).to_contain_text("2")
    for tab in (page, second):
        assert tab.evaluate("window.isStillThisPage") is True


def test_message_read_on_one_device_is_read_on_the_other(me, noor):
    page, other = noor(width=320), noor()
    other.wait_for_selector(LIVE)
    expect(other.locator(".navigation .unread-count")).to_contain_text("1")
    page.goto("/inbox/")

    page.locator(".message-list a").first.click()

    expect(page.locator("#read")).to_be_hidden()
    expect(other.locator(".navigation .unread-count")).to_have_count(0)
    expect(other.locator("#timeline li").first).to_contain_text("You read a message")


def test_reason_links_to_the_preference_that_decided(me, noor):
    page = noor(width=320)
    page.get_by_role("link", name="Decisions", exact=True).click()
    page.get_by_role("link", name="Not sent", exact=True).click()
    occasion = page.locator(".occasion", has_text="Offers")
    expect(occasion).to_contain_text("By e-mail: not sent.")

    occasion.get_by_role("link", name="Change preferences").first.click()

    expect(page.locator("#consent-offers")).to_be_in_viewport()
    page.goto("/why/access-log/")
    expect(page.locator(".rows")).to_contain_text("Sam (call desk) looked at your page")


def test_every_page_works_without_javascript(me, visit, apart):
    page = visit(java_script_enabled=False, width=320)
    page.get_by_role("button", name="Sign in as Noor").click()

    entry_count = apart(lambda: LedgerEntry.objects.filter(record=me).count())
    page.get_by_role("link", name="Preferences", exact=True).click()
    page.locator("#consent-offers").get_by_role("button", name="Refuse consent").click()
    expect(page.locator("#consent-offers")).to_contain_text("You withdrew your consent.")
    page.get_by_role("checkbox", name="Offers, SMS").uncheck()
    page.get_by_role("button", name="Save topics and channels").click()
    expect(page.get_by_role("checkbox", name="Offers, SMS")).not_to_be_checked()
    page.locator("#pause").get_by_role("button", name="Pause messages").click()
    expect(page.locator("#pause")).to_contain_text("Messages are paused until")
    page.locator("#quiet-hours").get_by_role("button", name="Save quiet hours").click()
    expect(page.locator("#quiet-hours")).to_contain_text("These quiet hours apply.")
    assert apart(lambda: LedgerEntry.objects.filter(record=me).count()) == entry_count + 4

    page.locator(".navigation").get_by_role("link", name="Messages").click()
    page.locator(".message-list a").first.click()
    page.get_by_role("button", name="Mark as read").click()
    expect(page.locator(".navigation .unread-count")).to_have_count(0)
    page.get_by_role("link", name="Orders").click()
    page.locator(".rows a").first.click()
    expect(page.get_by_role("heading", name="Changes")).to_be_visible()


def test_consent_can_be_withdrawn_with_the_keyboard_alone(me, noor):
    page = noor()
    page.get_by_role("link", name="Preferences", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/preferences/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if (
            page.evaluate(
                "document.activeElement.closest('#consent-offers') && document.activeElement.value"
            )
            == "no"
        ):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"

    page.keyboard.press("Enter")

    expect(page.locator("#consent-offers")).to_contain_text("You withdrew your consent.")


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_every_page_has_no_accessibility_violations(pages, noor, width, scheme):
    # `make test` checks each width and each color scheme once, because the layout depends only on
    # the width and the colors only on the scheme.
    schemes = ("light", "dark") if size.IS_LONG else (scheme,)
    page = noor(width=width)
    for path in pages:
        page.goto(path)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            report = Axe().run(page, options={"resultTypes": ["violations"]})
            assert report.violations_count == 0, (path, scheme, report.generate_report())


@pytest.mark.long
def test_page_of_320_pixels_does_not_scroll_sideways_or_shift(pages, noor):
    page = noor(width=320)
    for language in ("en", "nl", "sv", "da"):
        chosen = {"name": "django_language", "value": language, "domain": "localhost", "path": "/"}
        page.context.add_cookies([chosen])
        for path in pages:
            page.goto(path)
            assert page.locator("html").get_attribute("lang") == language
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (language, path)
            # The measurement waits, so `make test` measures the shift in one language.
            if size.IS_LONG or language == "nl":
                assert page.evaluate(_SHIFT) < 0.1, (language, path)
            assert page.evaluate(_OVER) == [], (language, path)


# How much of the page moved by itself since it was opened.
_SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 150);
})"""


# Texts that overlap their neighbours.
_OVER = """() => [...document.querySelectorAll("th, td, dd, .badge, .button")]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 200))"""


def test_current_link_is_marked_with_forced_colors(visit):
    page = visit(width=320, forced_colors="active")
    page.get_by_role("button", name="Sign in as Noor").click()
    page.wait_for_selector("#phone")
    page.goto("/why/")

    for kind in (".navigation", ".tabs"):
        here, there = (
            page.locator(f"{kind} a{which}").first.evaluate(
                "one => getComputedStyle(one).borderBlockEndWidth"
            )
            for which in ("[aria-current]", ":not([aria-current])")
        )
        assert here == "3px"
        assert there != here


def test_every_target_is_at_least_24_pixels_high(pages, noor):
    page = noor(width=320)
    for path in pages:
        page.goto(path)
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, select, input:not([type=hidden]), a:not(.skip)")]
              .filter((one) => one.checkVisibility() && !one.closest("p"))
              .filter((one) => (one.closest("label") ?? one).getBoundingClientRect().height < 24)
              .map((one) => one.outerHTML)"""
        )
        assert small == [], path


def test_every_page_transfers_less_than_50_kilobytes(pages, noor):
    page = noor(width=320)
    for path in pages:
        page.goto(path)

        weights = page.evaluate(_WEIGHTS)
        assert any(url.endswith("pages/base.css") for url in weights), weights
        assert sum(weights.values()) < 50_000, (path, weights)


# The bytes before compression that the browser loaded for the page, without streams and fetches.
_WEIGHTS = """() => Object.fromEntries(
  [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((one) => ["navigation", "link", "script", "img"].includes(one.initiatorType))
    .map((one) => [one.name, one.decodedBodySize])
)"""


PAYLOADS = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror=window.hit=1>',
    "'-window.hit=1-'",
    "</title><svg onload=window.hit=1>",
    "javascript:window.hit=1",
    "{{ 7|add:7 }}{% debug %}",
    "<a href=javascript:window.hit=1>x</a>",
    "--><iframe srcdoc='<script>top.hit=1</script>'>",
)


@pytest.fixture
def attacked(me) -> list[str]:
    """Put payloads into each text of another author that Noor's pages show."""
    now = timezone.now()
    by = ("email", me.identifiers.get(kind="email").value)
    for number, bad in enumerate(PAYLOADS):
        name = f"LK-{number}{bad}"
        facts = {
            "name": bad,
            "note": bad,
            "currency": bad[:3],
            "visit_date": "2031-01-01",
            "party": [{"name": bad}],
            "products": [{"line_id": bad, "name": bad, "quantity": 1, "price": "1"}],
        }
        purchase = factories.incoming_event(
            by, name="Order Completed", about=f"order:{name}", properties=facts, at=now, actor=bad
        )
        staff_event = factories.incoming_event(
            by, name=bad, at=now, actor=f"staff:{bad}", about=f"order:{name}"
        )
        profile = factories.identify(
            by, first_name=bad, name=bad, language=bad, timezone=bad, at=now
        )
        factories.record(purchase, staff_event, profile, at=now)
        message = factories.message(
            me, subject=bad, text=f"{bad}\n\nhttp://localhost/{bad}", at=now
        )
        factories.decision(
            me, message_id=message.pk, code=bad[:48], act={"topic": bad, "purpose": bad}
        )
        portal.look(me, actor=f"staff:{bad}"[:100], what=bad[:32], reason=bad)
    orders = [f"/orders/{portal.quoted(f'LK-{n}{bad}')}/" for n, bad in enumerate(PAYLOADS)]
    return [*portal.PAGES, *orders, f"/inbox/{portal.newest_message(me).pk}/"]


def test_text_from_others_is_never_executed(attacked, noor):
    page = noor()
    refused: list[str] = []
    page.on(
        "console",
        lambda console_message: (
            refused.append(console_message.text) if console_message.type == "error" else None
        ),
    )
    page.on("dialog", lambda dialog: refused.append(dialog.message))

    for path in attacked:
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, path
        page.wait_for_timeout(50)
        assert page.evaluate("window.hit") is None, path
        assert page.locator("iframe, img[onerror], svg[onload]").count() == 0
        assert page.locator("a[href^='javascript:']").count() == 0
        assert "14" not in page.title()

    assert [refusal for refusal in refused if "Content Security Policy" in refusal] == []
    assert html.escape(PAYLOADS[0]) in page.request.get("/inbox/").text()
    page.goto("/")
    page.wait_for_selector(LIVE)
    assert page.evaluate("window.hit") is None


def test_pages_of_another_customer_are_not_found(pages, visit, noor, apart):
    noor()
    stranger = visit()
    stranger.get_by_label("Your e-mail address").fill("stranger@example.com")
    stranger.get_by_role("button", name="Send code").click()
    mail = stranger.request.get("/dev/outbox.json").json()[0]
    code = re.search(r"\b\d{6}\b", mail["text"])
    assert code
    stranger.get_by_label("Six digits").fill(code.group())
    stranger.get_by_role("button", name="Sign in").click()

    for path in pages[-3:-1]:
        answer = stranger.goto(path)
        assert answer
        assert answer.status == 404 or "no record of a customer" in stranger.content()
        assert "Larkmoor" not in stranger.locator("main").inner_text()
    assert apart(lambda: Event.objects.filter(name="Message Read").exists()) is False
