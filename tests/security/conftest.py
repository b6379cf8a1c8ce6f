"""Fixtures for the security tests."""

import pytest

from tests.customers.identity.company import WireSource


@pytest.fixture
def chromium(shared_chromium):
    with shared_chromium.use() as browser:
        yield browser


@pytest.fixture
def shop() -> WireSource:
    """A shop whose server sends events, with account numbers of its own."""
    return WireSource("Shop", "site", ids="shop")
