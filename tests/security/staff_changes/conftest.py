"""Noor, who proved her mailbox, and two colleagues who may decide about her addresses."""

import pytest

from tests.customers.identity.address_app import AddressApp
from tests.customers.identity.company import record_of
from tests.security.desk_colleagues import RIGHTS, Desk

BOX = "noor@example.com"


@pytest.fixture
def noor(shop):
    """A customer who proved her mailbox."""
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")
    return AddressApp(BOX)


@pytest.fixture
def record(noor, shop):
    return record_of(shop.account("noor"))


@pytest.fixture
def lin():
    return Desk("Lin", *RIGHTS)


@pytest.fixture
def kim():
    return Desk("Kim", *RIGHTS)
