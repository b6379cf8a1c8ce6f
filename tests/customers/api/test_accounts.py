"""A customer opens, joins and refuses the accounts of the own mailbox."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Identifier, ManualDecision
from tests.customers.identity.company import WireSource
from tests.customers.identity.signed_in import SignedIn

pytestmark = pytest.mark.django_db

BOX = "family@mail.example.org"


def shop_with_orders(*, addresses: str, users: tuple[str, ...]) -> WireSource:
    """Return a shop whose users all state the mailbox and have an order each."""
    shop = WireSource("Shop", "server", ids="shop", addresses=addresses)
    for hour, user in enumerate(users, start=1):
        shop.identify(hour, user, email=BOX)
        shop.order(hour + 100, f"ORDER-{user}", user)
    return shop


@pytest.fixture
def family(db) -> SignedIn:
    """Return the session of a mailbox that two accounts confirmed."""
    shop_with_orders(addresses="checked", users=("ann", "bram"))
    return SignedIn(BOX)


def account_ids(session: SignedIn) -> list[int]:
    return [account["id"] for account in session.get("accounts/").json()["accounts"]]


def test_two_proved_accounts_are_a_choice_that_shows_no_data(family):
    answer = family.get("accounts/").json()

    assert [(a["sources"], a["number"], a["is_open"]) for a in answer["accounts"]] == [
        (["Shop"], "…nn", False),
        (["Shop"], "…am", False),
    ]
    assert answer["closed"] == []
    for path in ("", "orders/", "timeline/", "messages/", "consents/", "why/"):
        refused = family.get(path)
        assert (refused.status_code, refused.json()["type"].endswith("choose-account")) == (
            409,
            True,
        )


@pytest.mark.parametrize("place", [0, 1])
def test_opened_account_shows_its_own_orders_and_not_those_of_the_other(family, place):
    chosen = account_ids(family)[place]

    assert family.post(f"accounts/{chosen}/open/").status_code == 200

    assert family.orders() == [f"ORDER-{('ann', 'bram')[place]}"]
    other = ("bram", "ann")[place]
    assert family.get(f"orders/ORDER-{other}/").status_code == 404


def test_choice_belongs_to_one_session(family):
    family.post(f"accounts/{account_ids(family)[0]}/open/")

    assert SignedIn(BOX).get("").status_code == 409


def test_joined_accounts_are_one_record(family):
    assert family.post("accounts/join/").status_code == 200

    assert family.orders() == ["ORDER-ann", "ORDER-bram"]
    assert SignedIn(BOX).orders() == ["ORDER-ann", "ORDER-bram"]
    decision = ManualDecision.objects.get()
    assert (decision.kind, decision.actor) == ("merge", "customer")


def test_two_accounts_that_only_state_the_mailbox_stay_closed(db):
    shop = shop_with_orders(addresses="stated", users=("ann", "bram"))
    shop.order(200, "GUEST-1", "", email=BOX)
    session = SignedIn(BOX)

    assert session.orders() == ["GUEST-1"]
    answer = session.get("accounts/").json()
    assert [account["source"] for account in answer["closed"]] == ["Shop", "Shop"]
    assert "ann" not in str(answer)


def test_only_account_that_states_the_mailbox_opens_and_stays_open(db):
    shop = shop_with_orders(addresses="stated", users=("ann",))
    assert SignedIn(BOX).orders() == ["ORDER-ann"]

    shop.identify(300, "bram", email=BOX)

    assert SignedIn(BOX).orders() == ["ORDER-ann"]


def test_refused_account_leaves_and_does_not_open_again(db):
    shop = shop_with_orders(addresses="stated", users=("stranger",))
    shop.order(200, "GUEST-1", "", email=BOX)
    session = SignedIn(BOX)
    assert session.orders() == ["GUEST-1", "ORDER-stranger"]

    refused = session.post(f"accounts/{account_ids(session)[0]}/refuse/")

    assert refused.status_code == 200
    assert session.orders() == ["GUEST-1"]
    assert SignedIn(BOX).orders() == ["GUEST-1"]
    shop.identify(400, "stranger", email=BOX)
    assert SignedIn(BOX).orders() == ["GUEST-1"]


def test_account_of_another_customer_is_not_found(family):
    WireSource("Site", "server", ids="site", addresses="checked").identify(
        1, "els", email="els@mail.example.org"
    )
    els = Identifier.objects.get(value__endswith="/els")

    for action in ("open", "refuse"):
        assert family.post(f"accounts/{els.pk}/{action}/").status_code == 404
    assert ManualDecision.objects.count() == 0


def test_proved_account_is_refused_only_soon_after_the_proof(family, time_machine):
    """A person at a phone that was left open cannot take her address off her account."""
    account = account_ids(family)[0]
    time_machine.move_to(timezone.now() + timedelta(minutes=16), tick=True)

    refused = family.post(f"accounts/{account}/refuse/")

    assert (refused.status_code, refused.json()["type"].endswith("confirm-again")) == (409, True)
    assert ManualDecision.objects.count() == 0
    assert SignedIn(BOX).post(f"accounts/{account}/refuse/").status_code == 200


def test_proved_mailbox_is_the_current_address_of_both_accounts(family):
    for account in account_ids(family):
        family.post(f"accounts/{account}/open/")

        [address] = family.get("addresses/").json()["addresses"]

        assert (address["value"], address["state"], address["is_proved"]) == (BOX, "current", True)
