"""The pictures of the console: Lin, the manager, signs in once and looks at every page."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

from examples.themepark import places

ROOT = Path(__file__).parent.parent
LOGIN = "lin"
PAGES = {
    "console": "/console/",
    "console-search": "/console/search/?q=nor+de+witt",
    "console-calls": "/console/calls/",
    "console-tasks": "/console/tasks/",
    "console-merges": "/console/merges/",
    "console-switches": "/console/switches/",
    "console-keys": "/console/keys/",
}


def take(
    browser: Browser,
    web: str,
    sizes: dict[str, tuple[int, int]],
    keep: Callable[[Page, str], None],
) -> None:
    """Take every page in every size, light and dark."""
    page = browser.new_page(base_url=web, reduced_motion="reduce", locale="en-GB")
    page.goto("/console/sign-in/")
    _in_each_size(page, sizes, "console-sign-in", keep)
    _sign_in(page)
    pages = PAGES | _of_noor(page)
    for name, path in pages.items():
        page.goto(path)
        _in_each_size(page, sizes, name, keep)
    page.close()


def _sign_in(page: Page) -> None:
    passwords = places.read(places.home() / places.KEYS)["passwords"]
    page.get_by_label("Your work address").fill(f"{LOGIN}@larkmoor.example")
    page.get_by_label("Password").fill(passwords[LOGIN])
    page.get_by_role("button", name="Go on").click()
    command = [sys.executable, str(ROOT / "manage.py"), "demo_code", LOGIN]
    code = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    page.get_by_label("Code").fill(code.split()[-1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/")


def _of_noor(page: Page) -> dict[str, str]:
    page.goto("/console/search/?q=noor@example.com")
    found = page.locator("main .rows a").first.get_attribute("href") or ""
    noor = found.partition("?")[0]
    return {
        "console-customer": noor,
        "console-looks": f"{noor}looks/",
        "console-order": f"{noor}orders/new/",
    }


def _in_each_size(
    page: Page,
    sizes: dict[str, tuple[int, int]],
    name: str,
    keep: Callable[[Page, str], None],
) -> None:
    for size, (width, height) in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.wait_for_load_state("load")
            page.wait_for_timeout(300)
            keep(page, f"{name}-{size}-{scheme}")
