"""Answers to secret keys say how many events state a link that the rules refuse."""

import pytest

from customers.models import SourceWarning
from tests.customers.identity.company import WireSource, are_one, email

pytestmark = pytest.mark.django_db

BOX = "family@example.com"


def test_second_account_with_the_mailbox_of_another_gets_the_code():
    shop = WireSource("Shop")

    first = shop.identify(1, "u-1", email=BOX)
    second = shop.identify(2, "u-2", email=BOX)

    assert (first, second) == ("", "contested;count=1")
    warning = SourceWarning.objects.get(source=shop.source)
    assert (warning.code, warning.count, warning.example) == ("contested", 1, "Shop-2")
    assert are_one(shop.account("u-1"), email(BOX))
    assert not are_one(shop.account("u-2"), email(BOX))


def test_batch_counts_each_event_that_states_a_refused_link():
    shop = WireSource("Shop")
    events = [
        shop.event("identify", hour, user, traits={"email": BOX})
        for hour, user in enumerate(("u-1", "u-2", "u-2", "u-3"))
    ]

    assert shop.send(*events) == "contested;count=3"
    assert SourceWarning.objects.get().example == "Shop-2"


def test_repeated_statement_is_not_counted_again():
    shop = WireSource("Shop")
    shop.identify(1, "u-1", email=BOX)
    shop.identify(2, "u-2", email=BOX)

    assert shop.identify(3, "u-2", email=BOX) == ""
    assert shop.track(4, "u-2") == ""


def test_source_that_loses_a_mailbox_to_a_proof_of_another_source_is_not_told_by_that_batch():
    shop = WireSource("Shop", ids="account")
    app = WireSource("App", ids="account", addresses="checked")
    shop.identify(1, "u-1", email=BOX)

    assert app.identify(2, "u-2", email=BOX) == ""
    assert are_one(app.account("u-2"), email(BOX))
    assert not SourceWarning.objects.exists()


def test_card_of_another_customer_is_contested():
    shop = WireSource("Shop")
    shop.identify(1, "u-1", card="LF-7001")

    assert shop.identify(2, "u-2", card="LF-7001") == "contested;count=1"


def test_browser_of_two_customers_is_ordinary():
    app = WireSource("App")
    app.track(1, "u-1", anonymousId="tablet")

    assert app.track(2, "u-2", anonymousId="tablet") == ""


def test_till_only_notes_an_address_so_nothing_is_refused():
    shop, till = WireSource("Shop"), WireSource("Till", "till")
    shop.identify(1, "u-1", email=BOX)

    assert till.identify(2, "88", email=BOX) == ""


def test_equal_number_of_a_named_space_with_another_mailbox_is_contested():
    shop, app = (WireSource(name, ids="account") for name in ("Shop", "App"))
    shop.identify(1, "42", email=BOX)

    assert app.identify(2, "42", email="other@example.com") == "contested;count=1"
    assert not are_one(shop.account("42"), app.account("42"))


@pytest.mark.parametrize(
    ("ids", "address"),
    [("account", BOX), ("main", "other@example.com")],
    ids=["one mailbox", "main"],
)
def test_equal_number_of_one_customer_or_in_main_is_not_contested(ids, address):
    shop, app = (WireSource(name, ids=ids) for name in ("Shop", "App"))
    shop.identify(1, "42", email=BOX)

    assert app.identify(2, "42", email=address) == ""
