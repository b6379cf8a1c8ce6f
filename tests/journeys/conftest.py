"""A park with people in it, and a browser to look at it with."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Browser, Page

from examples.themepark import load, places
from tests.browser import start_chromium


@pytest.fixture
def park(running, settings, monkeypatch, quick_hashes):
    """Load a small park into the running system."""
    settings.BUTLER_HOME = Path(running.env["BUTLER_HOME"])
    settings.DEBUG = True
    monkeypatch.setattr(load, "FAMILIES", 5)
    call_command("load_themepark")
    return running


@pytest.fixture
def keys(park, settings) -> dict[str, dict[str, str]]:
    stored_keys: dict[str, dict[str, str]] = places.read(settings.BUTLER_HOME / places.KEYS)["keys"]
    return stored_keys


@pytest.fixture
def desk(park, keys) -> Iterator[httpx2.Client]:
    """What Sam's program speaks: the public API, with the key of the call desk."""
    headers = {"Authorization": f"Bearer {keys['call desk']['secret']}"}
    with httpx2.Client(base_url=park.web, headers=headers, timeout=10) as client:
        yield client


@pytest.fixture
def chromium(park) -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture
def visit(park, chromium) -> Callable[..., Page]:
    """Open the page of the park in a fresh browser, of a phone's size unless said otherwise."""

    def open_page(path: str = "/", *, width: int = 1280, **options: Any) -> Page:
        context = chromium.new_context(
            base_url=park.web,
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.goto(path)
        return page

    return open_page


@pytest.fixture
def noor(visit) -> Callable[..., Page]:
    """Open the page as Noor."""

    def open_page(**options: Any) -> Page:
        page = visit(**options)
        page.get_by_role("button", name="Sign in as Noor").click()
        page.wait_for_selector("#phone")
        return page

    return open_page


@pytest.fixture
def apart() -> Callable[..., Any]:
    """Return a function that works on the database beside the browser's event loop."""

    def run(work: Callable[..., Any], *args: Any) -> Any:
        def alone() -> Any:
            try:
                return work(*args)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(alone).result()

    return run
