"""Situations of what a code opens: what the customer, staff and the sender see, through the wire.

docs/reference/identity.md has them as a table. tests/security/test_openings.py compares all surfaces.
"""

import pytest
from django.utils import timezone

from customers.identity import decisions
from customers.identity.links import DecisionKind
from customers.models import Identifier, Link, ManualDecision
from customers.types import OPENED
from tests.customers.identity.company import WireSource, are_one, email
from tests.customers.identity.signed_in import SignedIn

pytestmark = pytest.mark.django_db

BOX, CARD = "noor@mail.example.org", "LF-70010042"


@pytest.fixture
def shop() -> WireSource:
    return WireSource("Shop", "server", ids="shop", addresses="stated")


def identifier(kind: str, value: str) -> Identifier:
    return Identifier.objects.get(kind=kind, value=value)


def ids_of_accounts(session: SignedIn, state: str = "accounts") -> list[int]:
    return [account["id"] for account in session.get("accounts/").json()[state]]


def test_only_account_that_states_the_mailbox_opens(shop):
    warning = shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")

    assert SignedIn(BOX).orders() == ["A-1"]
    assert are_one(email(BOX), shop.account("noor"))
    link = Link.objects.filter(second=identifier("user_id", f"{shop.source.pk}/noor"))
    link |= Link.objects.filter(first=identifier("user_id", f"{shop.source.pk}/noor"))
    assert OPENED in set(link.values_list("evidence", flat=True))
    assert warning == ""


def test_family_chooses_one_of_two_accounts_with_a_confirmed_mailbox(shop):
    warnings = [
        shop.identify(hour, user, email=BOX, email_verified=True)
        for hour, user in enumerate(("noor", "bram"), start=1)
    ]
    shop.order(3, "A-1", "noor")
    shop.order(4, "B-2", "bram")
    session = SignedIn(BOX)
    assert session.get("orders/").status_code == 409

    session.post(f"accounts/{ids_of_accounts(session)[1]}/open/")

    assert session.orders() == ["B-2"]
    assert not are_one(shop.account("noor"), shop.account("bram"))
    assert [warning.partition(";")[0].split("=")[0] for warning in warnings] == ["", "contested"]


def test_two_accounts_that_state_the_mailbox_stay_closed(shop):
    warnings = [shop.identify(1, "noor", email=BOX), shop.identify(2, "bram", email=BOX)]
    shop.order(3, "A-1", "noor")
    shop.order(4, "B-2", "bram")
    shop.order(5, "GUEST-3", "", email=BOX)

    session = SignedIn(BOX)

    assert session.orders() == ["GUEST-3"]
    assert len(ids_of_accounts(session, "closed")) == 2
    assert are_one(email(BOX), shop.account("noor"))
    assert not are_one(email(BOX), shop.account("bram"))
    assert [warning.partition(";")[0].split("=")[0] for warning in warnings] == ["", "contested"]


def test_removed_address_opens_nothing_of_the_account_of_a_stranger(shop):
    shop.identify(1, "stranger", email=BOX)
    shop.order(2, "A-1", "stranger")
    shop.order(3, "GUEST-2", "", email=BOX)
    session = SignedIn(BOX)

    session.post(f"accounts/{ids_of_accounts(session)[0]}/refuse/")

    shop.identify(4, "stranger", email=BOX)
    assert session.orders() == SignedIn(BOX).orders() == ["GUEST-2"]
    assert not are_one(email(BOX), shop.account("stranger"))
    assert ManualDecision.objects.get().actor == "customer"


def test_mailbox_opens_nothing_of_an_account_that_staff_merged(shop):
    shop.order(1, "A-1", "noor")
    shop.order(2, "GUEST-2", "", email=BOX)
    account = identifier("user_id", f"{shop.source.pk}/noor")
    decisions.decide(
        DecisionKind.MERGE,
        account.pk,
        identifier("email", BOX).pk,
        actor="staff:lin",
        now=timezone.now(),
    )

    assert SignedIn(BOX).orders() == ["GUEST-2"]
    assert are_one(email(BOX), shop.account("noor"))


@pytest.mark.parametrize("is_decided", [False, True])
def test_purchases_with_a_card_open_after_a_colleague_says_whose_it_is(shop, is_decided):
    shop.identify(1, "noor", email=BOX, card=CARD)
    till = WireSource("Till", "till")
    till.order(2, "T-1", "", card=CARD)
    card = Identifier.objects.get(kind="card")
    if is_decided:
        account = identifier("user_id", f"{shop.source.pk}/noor")
        decisions.decide(
            DecisionKind.MERGE, account.pk, card.pk, actor="staff:lin", now=timezone.now()
        )

    assert SignedIn(BOX).orders() == (["T-1"] if is_decided else [])
    assert are_one(email(BOX), ("card", card.value))
