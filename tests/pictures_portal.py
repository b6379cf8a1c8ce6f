"""Pictures of the portal: the public pages, and the pages of Noor after she signs in."""

import re

from playwright.sync_api import Page

from tests.camera import Camera

PAGES = {
    "orders": "/orders/",
    "inbox": "/inbox/",
    "preferences": "/preferences/",
    "receipts": "/receipts/",
    "why": "/why/",
    "access-log": "/why/access-log/",
    "accounts": "/accounts/",
    "missing": "/orders/of-somebody-else/",
}
# One of many: the first link of a list leads there.
FIRST = {"order": "/orders/", "message": "/inbox/"}


def take(camera: Camera) -> None:
    page = camera.page
    camera.take("welcome", "/")
    camera.take("sign-in", "/sign-in/")
    page.get_by_role("textbox").first.fill("nobody@example.org")
    page.locator("main form button[type=submit]").first.click()
    page.get_by_label("Six digits").wait_for()
    camera.take("sign-in-code")
    _begin_the_day(page)
    camera.take("live")
    for name, path in PAGES.items():
        camera.take(name, path)
    for name, path in FIRST.items():
        page.goto(path)
        # The message about the new order appears within seconds.
        page.locator("main .rows a, main .message-list a").first.click()
        page.locator("main h1.title").wait_for()
        camera.take(name)
    camera.take("outbox", "/dev/outbox/")
    if link := _way_out_of_mail(page):
        camera.take("unsubscribe", link)


def _begin_the_day(page: Page) -> None:
    """Sign Noor in; let the desk take an order for her and the gate scan her code."""
    page.goto("/")
    page.get_by_role("button", name="Sign in as Noor").click()
    page.wait_for_selector("#status[data-state=live]")
    page.get_by_role("button", name="Take order").click()
    page.wait_for_selector(".latency:not([hidden])")
    page.get_by_role("button", name="Scan the code").click()
    page.get_by_text("Through the gate at").wait_for()
    # A picture shows no hovered and no focused button.
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")


def _way_out_of_mail(page: Page) -> str:
    """Return where the newest mail to Noor lets her stop mails of its kind; looking stops none."""
    mails = page.request.get("/dev/outbox.json").json()
    links = (re.search(r"https?://[^/\s]+(/u/\S+)", mail["text"]) for mail in mails)
    return next((link[1] for link in links if link), "")
