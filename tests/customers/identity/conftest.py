"""Sources of a company that most situations have."""

import pytest

from tests.customers.identity.company import WireSource


@pytest.fixture
def shop():
    return WireSource("Shop", "site", ids="shop")


@pytest.fixture
def till():
    return WireSource("Till", "store", is_shared=True)
