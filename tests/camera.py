"""Takes pictures of a page in each size, light and dark."""

import re
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests import pictures

ROOT = Path(__file__).parent.parent
# Pictures of every whole page, for developers who change a page. Not committed.
ALL = ROOT / "screenshots"
# Pictures in the documentation: the visible part of a page, scaled down.
SHOWN = ROOT / "docs" / "images"
# Width and height of the window.
SIZES = {"1280": (1280, 1000), "320": (320, 720)}
SCHEMES = ("light", "dark")


class Camera:
    """One window of one person."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def take(self, name: str, path: str = "", *, anew: bool = False) -> None:
        """Take a page in every size, light and dark: the one that is open, or another.

        `anew` opens it for each of them: some pages choose their colors when they are opened.
        """
        if path:
            self.page.goto(path)
        for size in SIZES:
            for scheme in SCHEMES:
                self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                if anew:
                    self.page.reload()
                self._keep(name, size, scheme)

    def _keep(self, page: str, size: str, scheme: str) -> None:
        name = f"{page}-{size}-{scheme}"
        width, height = SIZES[size]
        self._stand(width, height)
        if name in shown():
            path = SHOWN / f"{name}.png"
            path.write_bytes(pictures.smaller(self.page.screenshot()))
            print(f"{path.relative_to(ROOT)} {path.stat().st_size // 1000} kB", flush=True)
        # As tall as the page: what stays at the edge of a window would lie across it.
        tall = self.page.evaluate("document.documentElement.scrollHeight")
        self._stand(width, max(height, tall))
        self.page.screenshot(path=ALL / f"{name}.png")

    def _stand(self, width: int, height: int) -> None:
        """Open the window so far, and wait until what a script changes has changed."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_load_state("load")
        self.page.evaluate("scrollTo(0, 0)")
        self.page.wait_for_timeout(150)


@cache
def shown() -> frozenset[str]:
    """Return the names of the pictures that the documentation shows."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return frozenset(
        name for page in pages for name in re.findall(r"images/([\w-]+)\.png\)", page.read_text())
    )
