"""Take a picture of every page: `make run` in one terminal, this in another.

All of them are in screenshots/, which git does not keep; those that the documentation shows are
in docs/images.
"""

import sys
from shutil import which

from playwright.sync_api import Error, sync_playwright

from examples.themepark import places
from tests import camera, pictures_console, pictures_portal
from tests.camera import Camera


def main() -> int:
    web, _ = places.addresses()
    chromium = which("chromium") or which("chromium-browser")
    if chromium is None:
        print("There is no chromium on this machine.", file=sys.stderr)
        return 1
    for folder in (camera.ALL, camera.SHOWN):
        folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            # Staff last: Noor then has looks to read the next time.
            for take in (pictures_portal.take, pictures_console.take):
                page = browser.new_page(base_url=web, reduced_motion="reduce", locale="en-GB")
                take(Camera(page))
                page.close()
        except Error as error:
            print(f"{error}\nIs `make run` up at {web}, with the park in it?", file=sys.stderr)
            return 1
        finally:
            browser.close()
    print(f"All pages are in {camera.ALL}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
