"""Pictures of the console: Lin, the manager, signs in once and opens each page."""

import subprocess
import sys

from playwright.sync_api import Page

from examples.themepark import places
from tests.camera import ROOT, Camera

LOGIN = "lin"
PAGES = {
    "console": "/console/",
    "console-search": "/console/search/?q=nor+de+witt",
    "console-calls": "/console/calls/",
    "console-tasks": "/console/tasks/",
    "console-merges": "/console/merges/",
    "console-switches": "/console/switches/",
    "console-topics": "/console/topics/",
    "console-keys": "/console/keys/",
    "console-sources": "/console/sources/",
}
ADMIN = {
    "admin": "/admin/",
    "admin-automations": "/admin/butler/automation/",
    "admin-versions": "/admin/butler/automationversion/",
}


def take(camera: Camera) -> None:
    camera.take("console-sign-in", "/console/sign-in/")
    _sign_in(camera.page)
    for name, path in (PAGES | _of_noor(camera.page)).items():
        camera.take(name, path)
    for name, path in (ADMIN | {"admin-version": _newest_version(camera.page)}).items():
        camera.take(name, path, anew=True)


def _sign_in(page: Page) -> None:
    passwords = places.read(places.home() / places.KEYS)["passwords"]
    page.get_by_label("Your work e-mail address").fill(f"{LOGIN}@larkmoor.example")
    page.get_by_label("Password").fill(passwords[LOGIN])
    page.get_by_role("button", name="Continue").click()
    command = [sys.executable, str(ROOT / "manage.py"), "demo_code", LOGIN]
    code = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    page.get_by_label("Code").fill(code.split()[-1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/")


def _of_noor(page: Page) -> dict[str, str]:
    page.goto("/console/search/?q=noor@example.com")
    link = page.locator("main .rows a").first.get_attribute("href") or ""
    noor = link.partition("?")[0]
    return {
        "console-customer": noor,
        "console-access-log": f"{noor}access-log/",
        "console-preferences": f"{noor}preferences/",
        "console-order": f"{noor}new-order/",
        "console-identity": f"{noor}identity/",
        "console-merge-search": f"{noor}identity/merge/?q=bram",
        "console-timeline": f"{noor}timeline/",
    }


def _newest_version(page: Page) -> str:
    page.goto("/admin/butler/automationversion/")
    return page.locator("#result_list tbody th a").first.get_attribute("href") or ""
