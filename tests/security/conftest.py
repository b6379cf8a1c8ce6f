"""Fixtures for the security tests."""

import pytest


@pytest.fixture
def chromium():
    # Imported here, because the driver of the browser is not installed everywhere.
    from tests.browser import start_chromium

    with start_chromium() as browser:
        yield browser
