"""Noor, who signed in with a code at a shop, and her phone with a passkey."""

import pytest

from tests.customers.identity.passkey_app import PasskeyApp

BOX = "noor@example.com"


@pytest.fixture
def noor(shop):
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")
    return PasskeyApp(BOX)


@pytest.fixture
def phone(noor):
    return noor.create_passkey()
