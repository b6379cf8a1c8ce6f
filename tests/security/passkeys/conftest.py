"""Noor, who signed in with a code at a shop, and her phone with a passkey."""

import pytest

from tests.customers.identity.company import WireSource
from tests.customers.identity.passkey_app import PasskeyApp

BOX = "noor@example.com"


@pytest.fixture(autouse=True)
def _no_limits(settings):
    settings.BUTLER_CODES_PER_ADDRESS = settings.BUTLER_CODES_PER_NETWORK = 1000


@pytest.fixture
def shop():
    return WireSource("Shop", "site", ids="shop")


@pytest.fixture
def noor(shop):
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")
    return PasskeyApp(BOX)


@pytest.fixture
def phone(noor):
    return noor.create_passkey()
