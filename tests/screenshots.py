"""Take the pictures of the README again: `make run` in one terminal, this in another."""

import sys
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, Error, Page, sync_playwright

from examples.themepark import places
from tests import pictures, pictures_console

IMAGES = Path(__file__).parent.parent / "docs" / "images"
# Width and height of the window, and what is in it.
SIZES = {"1280": (1280, 1000), "320": (320, 720)}
# The customer's pages, by the names of their pictures.
PORTAL = {
    "orders": "/orders/",
    "inbox": "/inbox/",
    "preferences": "/preferences/",
    "receipts": "/receipts/",
    "why": "/why/",
    "looks": "/why/looks/",
}


def main() -> int:
    web, _ = places.addresses()
    chromium = which("chromium") or which("chromium-browser")
    if chromium is None:
        print("There is no chromium on this machine.", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for size in SIZES:
                for scheme in ("light", "dark"):
                    _take(browser, web, size, scheme)
            pictures_console.take(browser, web, SIZES, _keep)
        except Error as error:
            print(f"{error}\nIs `make run` up at {web}, with the park in it?", file=sys.stderr)
            return 1
        finally:
            browser.close()
    return 0


def _take(browser: Browser, web: str, size: str, scheme: str) -> None:
    width, height = SIZES[size]
    page = browser.new_page(
        base_url=web,
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    page.goto("/")
    if (size, scheme) == ("1280", "light"):
        _keep(page, "welcome")
    page.get_by_role("button", name="Look as Noor").click()
    page.wait_for_selector("#status[data-state=live]")
    page.get_by_role("button", name="Take an order").click()
    page.wait_for_selector(".speed:not([hidden])")
    page.get_by_role("button", name="Scan the code").click()
    page.get_by_text("Through the gate at").wait_for()
    # Nobody's hand is on a button in a picture.
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    _keep(page, f"live-{size}-{scheme}")
    for name, path in PORTAL.items():
        page.goto(path)
        _settle(page)
        _keep(page, f"{name}-{size}-{scheme}")
    for name, path in {"order": "/orders/", "message": "/inbox/"}.items():
        page.goto(path)
        # The butler's word on the order that was just taken is there within seconds.
        page.locator("main .rows a, main .letters a").first.click()
        page.locator("main h1.title").wait_for()
        _settle(page)
        _keep(page, f"{name}-{size}-{scheme}")
    page.close()


def _settle(page: Page) -> None:
    """Wait until what a script changes has changed, and put the eye at the top."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    page.evaluate("scrollTo(0, 0)")


def _keep(page: Page, name: str) -> None:
    path = IMAGES / f"{name}.png"
    path.write_bytes(pictures.smaller(page.screenshot()))
    print(f"{path.relative_to(IMAGES.parent.parent)} {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
