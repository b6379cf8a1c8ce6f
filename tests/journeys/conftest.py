"""A park with customers and staff, and browsers for its pages."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Browser, Page

from customers.actions import staff_sign_in
from customers.models import User
from examples.themepark import load, places
from tests.clients.conftest import node

__all__ = ["node"]


@pytest.fixture
def park(running, settings, monkeypatch, quick_hashes):
    """Load a small park into the running system."""
    settings.BUTLER_HOME = Path(running.env["BUTLER_HOME"])
    settings.DEBUG = True
    monkeypatch.setattr(load, "FAMILIES", 1)
    call_command("load_themepark")
    return running


@pytest.fixture
def keys(park, settings) -> dict[str, dict[str, str]]:
    stored_keys: dict[str, dict[str, str]] = places.read(settings.BUTLER_HOME / places.KEYS)["keys"]
    return stored_keys


@pytest.fixture
def desk(park, keys) -> Iterator[httpx2.Client]:
    """A client of the public API with the key of the call desk, as Sam's program uses it."""
    headers = {"Authorization": f"Bearer {keys['call desk']['secret']}"}
    with httpx2.Client(base_url=park.web, headers=headers, timeout=10) as client:
        yield client


@pytest.fixture
def chromium(park, shared_chromium) -> Iterator[Browser]:
    with shared_chromium.use() as browser:
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


@cache
def _hash(password: str) -> str:
    """Return the hash that the servers accept. It takes a third of a second."""
    return make_password(password, hasher="pbkdf2_sha256")


@pytest.fixture
def passwords(park, settings) -> dict[str, str]:
    """Set the passwords of two again: the park was loaded with hashes that no server takes."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    passwords_by_name: dict[str, str] = places.read(settings.BUTLER_HOME / places.KEYS)["passwords"]
    for who in ("sam", "lin"):
        users = User.objects.filter(email=f"{who}@larkmoor.example")
        assert users.update(password=_hash(passwords_by_name[who])) == 1
    return passwords_by_name


@pytest.fixture
def work(park, settings, monkeypatch, passwords, visit) -> Iterator[Callable[..., Page]]:
    """Sign a staff member in through the forms, and open a page."""
    # The browser's loop runs in this thread; what the tests write waits for nothing in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

    def sign_in(who: str = "sam", path: str = "/console/", **options) -> Page:
        keys = places.read(settings.BUTLER_HOME / places.KEYS)
        page = visit(f"/console/sign-in/?next={path}", **options)
        page.get_by_label("Your work e-mail address").fill(f"{who}@larkmoor.example")
        page.get_by_label("Password").fill(passwords[who])
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Code").fill(staff_sign_in.totp(keys["factors"][who], datetime.now(UTC)))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{path}")
        return page

    yield sign_in
    # Opened beside the browser's loop, it is another one than that of the test.
    connection.close()
