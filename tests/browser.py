"""Starts Chromium for tests of pages."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


class SharedChromium:
    """One Chromium for all tests of a process. Skips the test where it is not installed.

    Playwright leaves its event loop running in this thread, where Django refuses to work then. So
    the loop is hidden between two uses of the browser.
    """

    def __init__(self) -> None:
        if CHROMIUM is None:
            pytest.skip("there is no chromium on this machine")
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        self._loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)

    @contextmanager
    def use(self) -> Iterator[Browser]:
        """Lend the browser, and close its pages afterwards. End this before a flush."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
            for context in self._browser.contexts:
                context.close()
        finally:
            asyncio._set_running_loop(None)

    def stop(self) -> None:
        asyncio._set_running_loop(self._loop)
        self._browser.close()
        self._playwright.stop()
