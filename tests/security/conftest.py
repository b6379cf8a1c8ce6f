"""Fixtures for the security tests."""

import pytest


@pytest.fixture
def chromium(shared_chromium):
    with shared_chromium.use() as browser:
        yield browser
