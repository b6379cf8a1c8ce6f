"""An account keeps its service mail while another account has its mailbox on its record."""

import pytest
from msgspec import structs

from customers.identity import decisions
from customers.models import Identifier
from tests import factories
from tests.butler import arrange
from tests.butler.actions.test_noted_addresses import ORDERED_AT, receivers
from tests.butler.arrange import NOON

pytestmark = pytest.mark.django_db(transaction=True)

BOX = ("email", "family@example.com")


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


def second_account(addresses: str):
    """Return the record of the second of two accounts that state one mailbox, with an order."""
    shop = factories.sender(factories.source("Shop", "server"))
    shop = structs.replace(shop, addresses=addresses)
    for number in ("ann", "bram"):
        account = ("user_id", number)
        factories.record(factories.identify(account, BOX, at=ORDERED_AT), by=shop)
        facts = {"visit_date": f"{NOON:%Y-%m-%d}"}
        factories.record(factories.order(f"O-{number}", account, at=ORDERED_AT, **facts), by=shop)
    return Identifier.objects.get(value__endswith="/bram").customer


@pytest.mark.parametrize("addresses", ["checked", "stated"])
def test_second_account_of_a_mailbox_gets_messages_about_its_own_order(addresses):
    bram = second_account(addresses)

    assert receivers(bram, relation="order:O-bram") == [BOX[1]]


def test_second_account_gets_no_message_about_the_order_of_the_first():
    bram = second_account("checked")

    assert receivers(bram, relation="order:O-ann") == []


def test_second_account_gets_no_offers():
    bram = second_account("checked")
    offer = {"message_class": "marketing", "topic": "offers", "purpose": "offers"}

    assert receivers(bram, relation="order:O-bram", **offer) == []


def test_mailbox_that_a_person_took_off_the_account_gets_nothing():
    bram = second_account("checked")
    mailbox = Identifier.objects.get(kind="email")
    account = Identifier.objects.get(value__endswith="/bram")
    decisions.decide("separate", mailbox.pk, account.pk, actor="customer", now=NOON)
    bram = Identifier.objects.get(pk=account.pk).customer

    assert receivers(bram, relation="order:O-bram") == []


def test_unchecked_second_account_gets_nothing():
    bram = second_account("unchecked")

    assert receivers(bram, relation="order:O-bram") == []
