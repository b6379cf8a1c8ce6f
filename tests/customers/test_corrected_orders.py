"""Orders whose customer a source corrects, as public reports of shops describe it."""

import pytest

from customers.models import Identifier, Order
from tests.customers.identity.company import WireSource

pytestmark = pytest.mark.django_db

DAY = {"product_id": "day", "price": "39.50", "quantity": 2}
WRONG, RIGHT = "noor@mial.example.org", "noor@mail.example.org"


@pytest.fixture
def shop():
    return WireSource("Shop", "server", ids="shop")


def say(shop, name, *, hour, user="", **facts):
    properties = {"order_id": "1001", "currency": "EUR", "products": [DAY]} | facts
    return shop.post(shop.event("track", hour, user, name=name, properties=properties))


def addresses_of_order():
    of_customer = Identifier.objects.filter(customer_id=Order.objects.get().customer_id)
    return {*of_customer.filter(kind="email").values_list("value", flat=True)}


@pytest.mark.parametrize("name", ["Order Updated", "Order Amended"])
def test_address_corrected_in_the_order_moves_it(shop, name):
    """vendurehq/vendure#2505: a mistyped address left the order at a stranger."""
    say(shop, "Order Completed", hour=0, email=WRONG)

    say(shop, name, hour=1, email=RIGHT)

    assert addresses_of_order() == {RIGHT}


def test_address_of_a_payment_moves_no_order(shop):
    say(shop, "Order Completed", hour=0, email=RIGHT)

    say(shop, "Order Refunded", hour=1, email="payer@mail.example.org", amount="1.00")

    assert addresses_of_order() == {RIGHT}


def test_order_stays_with_its_account_when_an_update_names_another_address(shop):
    """magento/magento2#34397: the address of one order is not the address of the account."""
    shop.post(shop.event("identify", 0, "u-1", traits={"email": RIGHT}))
    say(shop, "Order Completed", hour=1, user="u-1")

    say(shop, "Order Updated", hour=2, user="u-1", email="gift@mail.example.org")

    assert addresses_of_order() == {RIGHT}


def test_order_of_a_guest_is_in_the_account_that_an_update_names(shop):
    """saleor/saleor#4147: staff give a guest's order to an account."""
    say(shop, "Order Completed", hour=0, email=RIGHT)

    say(shop, "Order Updated", hour=1, user="u-77")

    order = Order.objects.get()
    accounts = Identifier.objects.filter(customer_id=order.customer_id, kind="user_id")
    assert [value.rpartition("/")[2] for value in accounts.values_list("value", flat=True)] == [
        "u-77"
    ]


def test_order_of_a_guest_is_in_the_account_that_is_made_with_its_address_later(shop):
    """PrestaShop/PrestaShop#15605: the order was lost after the registration."""
    say(shop, "Order Completed", hour=0, email=RIGHT)

    shop.post(shop.event("identify", 5, "u-9", traits={"email": RIGHT}))

    customer_id = Order.objects.get().customer_id
    assert Identifier.objects.filter(customer_id=customer_id, value__endswith="u-9").exists()


def test_claim_of_an_update_with_an_address_moves_no_order(shop):
    """vendurehq/vendure#1699: a guest sets the address of another customer on an order."""
    page = WireSource("Page", "site", ids="shop", is_secret=False)
    say(shop, "Order Completed", hour=0, email=RIGHT)

    say(page, "Order Updated", hour=1, email=WRONG)

    assert RIGHT in {
        value
        for order in Order.objects.filter(evidence=2)
        for value in Identifier.objects.filter(customer_id=order.customer_id).values_list(
            "value", flat=True
        )
    }
